// The audits of npm graphql-http against a server in development mode: prints {"ok", "warn", "error", "failed"}.
import { serverAudits } from "graphql-http";

const url = process.argv[2];
const counts = { ok: 0, warn: 0, error: 0, failed: [] };
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const result = await audit.fn();
  counts[result.status]++;
  if (result.status !== "ok") counts.failed.push(`${result.id} ${result.name}: ${result.reason}`);
}
console.log(JSON.stringify(counts));
process.exit(0);
