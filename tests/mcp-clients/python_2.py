"""The Python SDK 2.x as a client of the server that the arguments start, in the mode that the first one names. Prints
what it found as JSON."""

import json
import os
import sys

import anyio
from mcp import Client, MCPError, StdioServerParameters


async def main():
    mode, command, *arguments = sys.argv[1:]
    server = StdioServerParameters(command=command, args=arguments, env=dict(os.environ))
    async with Client(server, mode=mode) as client:
        # From here on the SDK checks structured content against the tools' own schemas.
        tools = await client.list_tools()
        agents = await client.call_tool("list_agents", {})

        progress = []

        async def heard(done, total, message):
            progress.append(message)

        task = "fake: tool Read src/lib.rs\nfake: sleep 300ms\nfake: answer hello"
        answer = await client.call_tool(
            "dispatch", {"agent": "infra", "task": task}, progress_callback=heard
        )
        refused = await client.call_tool("dispatch", {"agent": "nobody", "task": "x"})
        try:
            await client.call_tool("no_such_tool", {})
            unknown = None
        except MCPError as error:
            unknown = error.error.code

        running = []
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "dispatch", {"agent": "infra", "task": "fake: hang"})
            while not running:
                listed = await client.call_tool("dispatch_jobs", {"status": "running"})
                running = listed.structured_content["jobs"]
            group.cancel_scope.cancel()
        ended = await client.call_tool("dispatch_result", {"job_id": running[0]["job_id"]})
        found = {
            "revision": client.protocol_version,
            "server": client.server_info.name,
            "tools": [tool.name for tool in tools.tools],
            "agents": agents.structured_content,
            "answer": answer.structured_content,
            "progress": progress,
            "refused": refused.is_error and refused.content[0].text,
            "unknown": unknown,
            "cancelled": ended.structured_content["status"],
        }
    print(json.dumps(found))


anyio.run(main)
