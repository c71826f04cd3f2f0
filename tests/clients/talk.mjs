// Queries, mutations and subscriptions through clients of others; prints one JSON object: client -> what it got.
// node talk.mjs '{"url", "wsUrl", "token"}'
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient as createUrql, fetchExchange, subscriptionExchange } from "@urql/core";
import { OperationTypeNode } from "graphql";
import { createClient as createSse } from "graphql-sse";
import { createClient as createWs } from "graphql-ws";
import WebSocket from "ws";

const { url, wsUrl, token } = JSON.parse(process.argv[2]);
const headers = { authorization: `Bearer ${token}` };
const QUERY = `query Sell($skus: [String!]!) { availability(skus: $skus) { sku { code } state } }`;
const PLACE = `mutation Place($input: OrderPlaceInput!, $key: String!) {
  orderPlace(input: $input, idempotencyKey: $key) { order { number } userErrors { code } } }`;
const WATCH = `subscription Watch { orderChanged { cursor kind orderNumber } }`;
const skus = ["MUG-BLUE"];
const order = key => ({ key, input: { channel: "web", externalNumber: key, customer: { code: "MINSEO" },
  shipTo: { country: "KR", postalCode: "04524" }, lines: [{ sku: "MUG-BLUE", quantity: 1 }] } });

// What urql still reads when it is told to stop is aborted, and it leaves that rejection to nobody.
process.on("unhandledRejection", error => { if (error?.name !== "AbortError") { console.error(error); process.exit(1); } });

// Watches, and places orders until one is seen placed: nothing tells a client that its subscription has begun.
async function story(name, { query, mutate, watch }) {
  const asked = await query(QUERY, { skus });
  const placed = new Set();
  const events = [];
  const isSeen = () => events.some(event => event.kind === "PLACED" && placed.has(event.orderNumber));
  const stop = watch(WATCH, event => events.push(event));
  const end = Date.now() + 60_000;
  while (!isSeen()) {
    if (Date.now() > end) throw new Error(`${name}: nothing for 60 s`);
    const done = await mutate(PLACE, order(`${name}-${placed.size}-${Date.now()}`));
    if (done.orderPlace.userErrors.length) throw new Error(JSON.stringify(done.orderPlace));
    placed.add(done.orderPlace.order.number);
    for (let wait = 0; wait < 20 && !isSeen(); wait++) await new Promise(next => setTimeout(next, 100));
  }
  stop();
  return { state: asked.availability[0].state, placed: placed.size > 0, watched: true };
}

const ws = createWs({ url: wsUrl, webSocketImpl: WebSocket, connectionParams: headers, retryAttempts: 0 });
const once = (client, query, variables) => new Promise((done, fail) => {
  let got;
  client.subscribe({ query, variables }, { next: value => { got = value; }, error: fail,
    complete: () => got?.errors ? fail(new Error(JSON.stringify(got.errors))) : done(got.data) });
});
const follow = client => (query, seen) => client.subscribe({ query },
  { next: value => seen(value.data.orderChanged), error: error => { console.error(error); process.exit(1); }, complete: () => {} });
const sse = createSse({ url, headers, retryAttempts: 0 });

const apollo = new ApolloClient({ cache: new InMemoryCache(), link: ApolloLink.split(
  ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION, new GraphQLWsLink(ws), new HttpLink({ uri: url, headers })) });
const urqlOver = (exchanges, more) => createUrql({ url, exchanges, preferGetMethod: false, fetchOptions: { headers }, ...more });
const urqlSse = urqlOver([fetchExchange], { fetchSubscriptions: true });
const urqlWs = urqlOver([fetchExchange, subscriptionExchange({ forwardSubscription: operation => ({
  subscribe: sink => ({ unsubscribe: ws.subscribe({ query: operation.query ?? "", variables: operation.variables }, sink) }) }) })]);
const urql = client => {
  const data = ({ data, error }) => { if (error) throw error; return data; };
  return {
    query: async (query, variables) => data(await client.query(query, variables).toPromise()),
    mutate: async (query, variables) => data(await client.mutation(query, variables).toPromise()),
    watch: (query, seen) => client.subscription(query, {}).subscribe(result => result.data && seen(result.data.orderChanged)).unsubscribe,
  };
};

const clients = {
  "graphql-ws": { query: (q, v) => once(ws, q, v), mutate: (q, v) => once(ws, q, v), watch: follow(ws) },
  "graphql-sse": { query: (q, v) => once(sse, q, v), mutate: (q, v) => once(sse, q, v), watch: follow(sse) },
  "@apollo/client": {
    query: async (q, variables) => (await apollo.query({ query: gql(q), variables })).data,
    mutate: async (q, variables) => (await apollo.mutate({ mutation: gql(q), variables })).data,
    watch: (q, seen) => { const s = apollo.subscribe({ query: gql(q) }).subscribe(({ data }) => seen(data.orderChanged)); return () => s.unsubscribe(); },
  },
  "@urql/core over SSE": urql(urqlSse),
  "@urql/core over WebSocket": urql(urqlWs),
};
const results = {};
for (const [name, client] of Object.entries(clients)) {
  try { results[name] = await story(name, client); } catch (error) { results[name] = String(error?.stack ?? error).slice(0, 600); }
}
console.log(JSON.stringify(results));
process.exit(0);
