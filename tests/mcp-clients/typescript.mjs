// The TypeScript SDK as a client of the server that the arguments start: `1` or `2`, its line; for the second also
// `legacy` or `auto`, how it negotiates. Prints what it found as JSON.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [line, mode, command, ...args] = process.argv.slice(2);
const require = createRequire(process.env.MCP_CLIENTS + "/npm/");
const load = (name) => import(pathToFileURL(require.resolve(name)));
const [{ Client }, { StdioClientTransport }] =
  line === "1"
    ? [
        await load("@modelcontextprotocol/sdk/client/index.js"),
        await load("@modelcontextprotocol/sdk/client/stdio.js"),
      ]
    : [await load("@modelcontextprotocol/client"), await load("@modelcontextprotocol/client/stdio")];

const options = line === "1" ? {} : { versionNegotiation: { mode } };
const client = new Client({ name: "typescript", version: "1" }, options);
await client.connect(new StdioClientTransport({ command, args, env: process.env }));

const call = (name, args, options) =>
  line === "1"
    ? client.callTool({ name, arguments: args }, undefined, options)
    : client.callTool({ name, arguments: args }, options);

// From here on the SDK checks structured content against the tools' own schemas.
const tools = await client.listTools();
const agents = await call("list_agents", {});
const progress = [];
const answer = await call(
  "dispatch",
  { agent: "infra", task: "fake: tool Read src/lib.rs\nfake: sleep 300ms\nfake: answer hello" },
  { onprogress: (news) => progress.push(news.message) },
);
const refused = await call("dispatch", { agent: "nobody", task: "x" });
const unknown = await call("no_such_tool", {}).then(
  () => null,
  (error) => error.code,
);

const abort = new AbortController();
const given_up = call("dispatch", { agent: "infra", task: "fake: hang" }, { signal: abort.signal }).catch(
  () => {},
);
let running = [];
while (running.length === 0) {
  running = (await call("dispatch_jobs", { status: "running" })).structuredContent.jobs;
}
abort.abort("enough");
await given_up;
const ended = await call("dispatch_result", { job_id: running[0].job_id });

console.log(
  JSON.stringify({
    revision: line === "1" ? undefined : client.getNegotiatedProtocolVersion(),
    server: client.getServerVersion().name,
    tools: tools.tools.map((tool) => tool.name),
    agents: agents.structuredContent,
    answer: answer.structuredContent,
    progress,
    refused: refused.isError && refused.content[0].text,
    unknown,
    cancelled: ended.structuredContent.status,
  }),
);
await client.close();
