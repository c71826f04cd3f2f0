// Put before the documented subscriber: its line is cut after the first order, and another is placed before it is back.
// Prints how many sockets it took, and which orders it saw placed, in order.
import WebSocket from "ws";

const { url, token } = JSON.parse(process.argv[2]);
const sockets = [], names = {}, placed = [];
globalThis.WebSocket = class extends WebSocket {
  constructor(...given) { super(...given); sockets.push(this); }
};
const PLACE = `mutation ($input: OrderPlaceInput!, $key: String!) {
  orderPlace(input: $input, idempotencyKey: $key) { order { number } userErrors { message } } }`;
async function place(name) {
  const input = { channel: "web", externalNumber: name, customer: { code: "MINSEO" }, shipTo: { country: "KR", postalCode: "04524" },
    lines: [{ sku: "MUG-BLUE", quantity: 1 }] };
  const body = JSON.stringify({ query: PLACE, variables: { input, key: name } });
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const { data } = await (await fetch(url, { method: "POST", headers, body })).json();
  names[data.orderPlace.order.number] = name;
}
const order = ["first", "within the cut", "after it"];
let isWatched = false, hasBegun = false;
function show(event) {
  if (event.kind !== "PLACED") return;
  if (!hasBegun || names[event.orderNumber]?.startsWith("early")) { isWatched = true; return; }
  placed.push(event.orderNumber);
  if (placed.length === 1) sockets[0].terminate();
  if (placed.length < order.length) place(order[placed.length]);
  else setTimeout(() => { console.log(JSON.stringify({ sockets: sockets.length, placed: placed.map(number => names[number]) })); process.exit(0); }, 500);
}
async function begin() { // nothing tells a client that its subscription has begun
  for (let number = 0; !isWatched; number++) {
    await place(`early ${number}`);
    for (let wait = 0; wait < 20 && !isWatched; wait++) await new Promise(next => setTimeout(next, 100));
  }
  hasBegun = true;
  place(order[0]);
}
begin();
