import {existsSync, lstatSync} from 'node:fs'
import {join} from 'node:path'
import {UserError} from '../../../model/errors.ts'
import {readTextFile} from '../../../model/read-file.ts'
import {instructions, withBlock, type Described} from './instructions.ts'
import {withEntry} from './json-entry.ts'

/** A file with its text before and after. */
export interface FileChange {
  readonly path: string
  readonly before: string
  readonly after: string
}

const SERVER = {command: 'pillion', args: ['mcp']}
const IMPORT = '@AGENTS.md'

/** The configurations of MCP servers. A client without its folder gets none. */
const CONFIGURATIONS = [
  {path: '.mcp.json', of: '', map: 'mcpServers', server: SERVER},
  {path: '.cursor/mcp.json', of: '.cursor', map: 'mcpServers', server: SERVER},
  {path: '.gemini/settings.json', of: '.gemini', map: 'mcpServers', server: SERVER},
  {path: '.vscode/mcp.json', of: '.vscode', map: 'servers', server: {type: 'stdio', ...SERVER}}
] as const

/** The changes that let coding agents find the stack. Throws a UserError if a file cannot be read or changed; nothing is written then. */
export function agentChanges(described: Described): readonly FileChange[] {
  const {folder} = described
  const changes: FileChange[] = []
  const change = (path: string, changed: (text: string) => string): void => {
    const before = textOf(folder, path)
    const after = changed(before)
    if (after !== before) changes.push({path, before, after})
  }
  change('AGENTS.md', text => withBlock(text, instructions(described)))
  // Claude Code and Gemini CLI read files of their own, which import it
  for (const path of ['CLAUDE.md', 'GEMINI.md'])
    if (!isLink(join(folder, path)) && (path === 'CLAUDE.md' || existsSync(join(folder, path))))
      change(path, text => (text.includes(IMPORT) ? text : withBlock(text, IMPORT)))
  for (const {path, of, map, server} of CONFIGURATIONS)
    if (of === '' || existsSync(join(folder, of))) change(path, text => withEntry(text, path, [map, 'pillion', server]))
  if (existsSync(join(folder, '.codex')))
    change('.codex/config.toml', text =>
      text.includes('[mcp_servers.pillion]')
        ? text
        : `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${text === '' ? '' : '\n'}[mcp_servers.pillion]\ncommand = "pillion"\nargs = ["mcp"]\n`
    )
  return changes
}

const isLink = (path: string): boolean => lstatSync(path, {throwIfNoEntry: false})?.isSymbolicLink() === true

function textOf(folder: string, name: string): string {
  const path = join(folder, name)
  if (!existsSync(path)) return ''
  try {
    return readTextFile(path)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw new UserError(`${name}: ${error.message}`, {explanation: 'Nothing was written.', cause: error})
  }
}

const CONTEXT = 2

/** A change as a unified diff, whose lines are one piece. */
export function changeText({path, before, after}: FileChange): string {
  const [old, now] = [linesOf(before), linesOf(after)]
  let head = 0
  while (head < Math.min(old.length, now.length) && old[head] === now[head]) head++
  let tail = 0
  while (tail < Math.min(old.length, now.length) - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++
  const from = Math.max(0, head - CONTEXT)
  const until = Math.min(tail, CONTEXT)
  const lines = [
    ...old.slice(from, head).map(line => ` ${line}`),
    ...old.slice(head, old.length - tail).map(line => `-${line}`),
    ...now.slice(head, now.length - tail).map(line => `+${line}`),
    ...old.slice(old.length - tail, old.length - tail + until).map(line => ` ${line}`)
  ]
  const size = (all: readonly string[]): number => all.length - tail + until - from
  const start = (all: readonly string[]): number => (all.length === 0 ? 0 : from + 1)
  const names = `--- ${before === '' ? '/dev/null' : path}\n+++ ${path}\n`
  return `${names}@@ -${start(old)},${size(old)} +${start(now)},${size(now)} @@\n${lines.join('\n')}\n`
}

const linesOf = (text: string): readonly string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))
