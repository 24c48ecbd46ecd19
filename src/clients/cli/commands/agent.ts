import {basename, dirname, join} from 'node:path'
import {loadTemplate} from '../../../files/config/load.ts'
import {UserError, messageOf} from '../../../model/errors.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {confirm} from '../input.ts'
import {commandPlace} from '../pick-run.ts'
import {print} from '../print.ts'
import {say} from '../say.ts'
import {surroundings} from '../template-named.ts'
import {writeGiven} from '../write-given.ts'
import {existsSync, lstatSync} from 'node:fs'
import {orElse} from '../../../model/or-else.ts'
import {readTextFile} from '../../../model/read-file.ts'
import {instructions, withBlock, type Described} from '../agent/instructions.ts'
import {isDeepStrictEqual} from 'node:util'

/** `agent init [--yes]`: writes the files of coding agents for this folder's template, after it has shown the change. */
export const agentInit: CommandHandler = async ({flags, words, asJson}) => {
  if (words.length > 0) throw new UsageError(`agent init takes no arguments, but got ${words[0] ?? ''}`)
  const {template} = commandPlace(flags)
  if (template === undefined)
    throw new UserError('there is no template in this folder or above it', {
      explanation: 'pillion import writes one from a Procfile, a compose file or the code.',
      code: 'no-template'
    })
  const isWritten = await initAgents(template, {asJson, isAsked: !flags.isSet('yes')})
  if (!isWritten) say(process.stdout, 'info', 'Nothing to change', asJson)
  return 0
}

interface InitWishes {
  readonly asJson: boolean
  /** Whether the user is asked before anything is written. */
  readonly isAsked: boolean
}

/** Shows the changes to the files of coding agents, and writes them. Resolves with false if nothing changes. Throws a UserError if a file cannot be written. */
export async function initAgents(template: string, {asJson, isAsked}: InitWishes): Promise<boolean> {
  const {plan} = await loadTemplate([template], surroundings(), {watch: false})
  const folder = dirname(template)
  const changes = agentChanges({template: basename(template), folder, apps: plan.apps})
  if (changes.length === 0) return false
  for (const change of changes) print(process.stdout, changeText(change))
  const names = changes.map(({path}) => path).join(', ')
  if (isAsked && !process.stdin.isTTY)
    throw new UserError('nothing was written', {explanation: `--yes writes ${names}.`, code: 'agree'})
  if (isAsked) await confirm(`write ${names}`)
  for (const {path, after} of changes) writeGiven(join(folder, path), after, path)
  say(process.stdout, 'success', `wrote ${names}`, asJson)
  return true
}

/** A file to write, with its text before and after the change. `before` is '' for a new file. */
interface FileChange {
  readonly path: string
  readonly before: string
  readonly after: string
}

const SERVER = {command: 'pillion', args: ['mcp']}
const IMPORT = '@AGENTS.md'

/** Files in which clients of MCP find servers. `of`: the folder without which the client is not used here; '': the file is always written. */
const CONFIGURATIONS = [
  {path: '.mcp.json', of: '', map: 'mcpServers', server: SERVER},
  {path: '.cursor/mcp.json', of: '.cursor', map: 'mcpServers', server: SERVER},
  {path: '.gemini/settings.json', of: '.gemini', map: 'mcpServers', server: SERVER},
  {path: '.vscode/mcp.json', of: '.vscode', map: 'servers', server: {type: 'stdio', ...SERVER}}
] as const

/** Returns the changes that tell coding agents of the template and of `pillion mcp`. Throws a UserError if a file cannot be read or changed; nothing is written then. */
function agentChanges(described: Described): readonly FileChange[] {
  const {folder} = described
  const changes: FileChange[] = []
  const change = (path: string, changed: (text: string) => string): void => {
    const before = textOf(folder, path)
    const after = changed(before)
    if (after !== before) changes.push({path, before, after})
  }
  change('AGENTS.md', text => withBlock(text, instructions(described)))
  // Claude Code and Gemini CLI read their own files, which import AGENTS.md
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

/** Returns a change as a unified diff with one hunk. */
function changeText({path, before, after}: FileChange): string {
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

type Json = Readonly<Record<string, unknown>>

/**
 * Adds an entry to a map of a JSON file: `{"mcpServers": {"pillion": …}}`. Keeps an existing entry of this name, and the
 * format of all other text if it can. Throws a UserError with the place if the text is not a JSON object.
 */
function withEntry(text: string, path: string, [map, name, value]: readonly [string, string, Json]): string {
  if (text.trim() === '') return `${JSON.stringify({[map]: {[name]: value}}, undefined, 2)}\n`
  const file = parsed(text, path)
  const entries = file[map] ?? {}
  if (!isObject(entries)) throw new UserError(`${path}: ${map} is not an object`, {explanation: NOTHING})
  if (entries[name] !== undefined) return text
  const wanted = {...file, [map]: {...entries, [name]: value}}
  const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? '  '
  const inner = JSON.stringify(value, undefined, indent).replaceAll('\n', `\n${indent}${indent}`)
  const entry = `\n${indent}${indent}"${name}": ${inner}`
  const isNew = file[map] === undefined
  const at = isNew ? text.indexOf('{') + 1 : endOfOpening(text, map)
  const isLast = Object.keys(isNew ? file : entries).length === 0
  const added = isNew ? `\n${indent}"${map}": {${entry}\n${indent}}` : entry
  const end = isLast ? `\n${isNew ? '' : indent}` : ','
  const rest = isLast ? text.slice(at).trimStart() : text.slice(at)
  const changed = `${text.slice(0, at)}${added}${end}${rest}`
  return isSame(changed, wanted) ? changed : `${JSON.stringify(wanted, undefined, indent)}\n`
}

const NOTHING = 'Nothing was written. Mend the file, or move it away.'

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function parsed(text: string, path: string): Json {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const at = Number(/position (\d+)/.exec(messageOf(error))?.[1] ?? 0)
    const before = text.slice(0, at).split('\n')
    const place = `${path}:${before.length}:${(before.at(-1) ?? '').length + 1}`
    throw new UserError(`${place} is not JSON: ${messageOf(error)}`, {explanation: NOTHING, cause: error})
  }
  if (isObject(value)) return value
  throw new UserError(`${path} is JSON, but not an object`, {explanation: NOTHING})
}

/** Returns the index after the brace that opens a map. */
const endOfOpening = (text: string, map: string): number => {
  const found = new RegExp(`"${map}"\\s*:\\s*\\{`).exec(text)
  return found === null ? 0 : found.index + found[0].length
}

const isSame = (text: string, wanted: Json): boolean => orElse(() => isDeepStrictEqual(JSON.parse(text), wanted), false)
