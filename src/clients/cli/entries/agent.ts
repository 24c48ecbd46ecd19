import {boolFlag, textFlag} from '../flag.ts'
import type {CommandEntry} from './command-entry.ts'

const SUMMARY = 'Tell coding agents how to run this folder: AGENTS.md and MCP'

/** The files of a repository for coding agents. */
export const AGENT: CommandEntry = {
  name: 'agent',
  summary: SUMMARY,
  usage: 'init [flags]',
  flags: [],
  examples: ['agent init'],
  verbs: [
    {
      name: 'agent init',
      summary: SUMMARY,
      flags: [textFlag('run-file', 'Path to the run template', 'f'), boolFlag('yes', 'Do not ask')],
      examples: ['agent init', 'agent init --yes'],
      notes: `Shows the change, then asks. It writes a block of AGENTS.md, an import of it
in CLAUDE.md (GEMINI.md if it is there), .mcp.json, and the MCP settings of
Cursor, VS Code, Gemini CLI and Codex where their folders are there.
`,
      load: async () => (await import('../commands/agent.ts')).agentInit
    }
  ],
  load: async () => (await import('../commands/no-verb.ts')).noVerb(AGENT)
}
