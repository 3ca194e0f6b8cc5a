"""The Python SDK 1.x as a client of the server that the arguments start. Prints what it found as JSON."""

import asyncio
import json
import os
import sys

from mcp import ClientSession, McpError, StdioServerParameters, types
from mcp.client.stdio import stdio_client


async def main():
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:], env=dict(os.environ))
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        about = await session.initialize()
        # From here on the SDK checks structured content against the tools' own schemas.
        tools = await session.list_tools()
        agents = await session.call_tool("list_agents", {})

        progress = []

        async def heard(done, total, message):
            progress.append(message)

        task = "fake: tool Read src/lib.rs\nfake: sleep 300ms\nfake: answer hello"
        answer = await session.call_tool(
            "dispatch", {"agent": "infra", "task": task}, progress_callback=heard
        )
        refused = await session.call_tool("dispatch", {"agent": "nobody", "task": "x"})
        try:
            await session.call_tool("no_such_tool", {})
            unknown = None
        except McpError as error:
            unknown = error.error.code

        # This line of the SDK sends no word of its own when a call is given up.
        request = session._request_id
        call = asyncio.create_task(session.call_tool("dispatch", {"agent": "infra", "task": "fake: hang"}))
        # Lets the task take that number.
        await asyncio.sleep(0)
        running = []
        while not running:
            listed = await session.call_tool("dispatch_jobs", {"status": "running"})
            running = listed.structuredContent["jobs"]
        params = types.CancelledNotificationParams(requestId=request, reason="enough")
        await session.send_notification(
            types.ClientNotification(
                types.CancelledNotification(method="notifications/cancelled", params=params)
            )
        )
        ended = await session.call_tool("dispatch_result", {"job_id": running[0]["job_id"]})
        call.cancel()

    print(
        json.dumps(
            {
                "revision": about.protocolVersion,
                "server": about.serverInfo.name,
                "tools": [tool.name for tool in tools.tools],
                "agents": agents.structuredContent,
                "answer": answer.structuredContent,
                "progress": progress,
                "refused": refused.isError and refused.content[0].text,
                "unknown": unknown,
                "cancelled": ended.structuredContent["status"],
            }
        )
    )


asyncio.run(main())
