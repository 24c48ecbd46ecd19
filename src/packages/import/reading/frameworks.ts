// The table of known programs: where each listens, where its files say so, and how it takes another number.
import type {ListensAt, Takes} from '../imported.ts'
import {join} from 'node:path'
import {entriesOf, readText} from './files.ts'
import {envFileVariables, type ProgramVariables} from './variables.ts'

/** A program that is known by its command line. */
export interface Framework {
  /** Words that start it. */
  readonly start: RegExp
  /** Its number where nothing says another one; 0: it has no default. */
  readonly port: number
  readonly takes?: Takes
  /** The flag behind which it takes a number, with the sign between: `--port `. */
  readonly flag?: string
  /** Its settings in the folder. */
  readonly settings?: RegExp
  /** Finds the number in other files. `match` is that of `start`. */
  readonly read?: (folder: string, env: ProgramVariables, match: readonly string[]) => Partial<ListensAt>
}

const PORT_FLAG = '--port '
const SETTINGS_PORT = /["']?\bport["']?\s*:\s*(\d{4,5})\b/

/** Programs of Node, Python, Ruby and PHP, best first. */
export const FRAMEWORKS: readonly Framework[] = [
  {start: /\bvite preview\b/, port: 4173, flag: PORT_FLAG},
  {start: /\bvite(?! build| optimize)\b/, port: 5173, flag: PORT_FLAG, settings: /^vite\.config\.\w+$/},
  {start: /\b(?:next|react-router|remix) (?:dev|start)\b/, port: 3000, takes: 'PORT'},
  {
    start: /\b(?:nuxt|nuxi|nitro|nitropack)(?: dev| start|$)/,
    port: 3000,
    takes: 'PORT',
    settings: /^nuxt\.config\.\w+$/
  },
  {
    start: /\breact-scripts start\b/,
    port: 3000,
    takes: 'PORT',
    read: folder => ({port: Number(envFileVariables(join(folder, '.env'))['PORT'] ?? 0)})
  },
  {start: /\brails s(?:erver)?\b/, port: 3000, takes: 'PORT'},
  {start: /\bdocusaurus start\b|\brsbuild dev\b/, port: 3000},
  {start: /\bastro dev\b/, port: 4321, flag: PORT_FLAG, settings: /^astro\.config\.\w+$/},
  {start: /\bng serve\b/, port: 4200, flag: PORT_FLAG, settings: /^angular\.json$/},
  {start: /\bvue-cli-service serve\b/, port: 8080, flag: PORT_FLAG, settings: /^vue\.config\.\w+$/},
  {
    start: /\bwebpack(?:-dev-server| serve)\b/,
    port: 8080,
    flag: PORT_FLAG,
    settings: /^webpack(?:\.(?:dev|development))?(?:\.config)?\.\w+$/
  },
  {start: /\bflask\b.*\brun\b/, port: 5000, takes: {variable: 'FLASK_RUN_PORT'}},
  {start: /\buvicorn\b|\bfastapi (?:dev|run)\b/, port: 8000, flag: PORT_FLAG},
  {start: /\bgunicorn\b/, port: 8000, takes: 'PORT'},
  {start: /\bphp artisan serve\b/, port: 8000, flag: '--port='},
  {start: /\bmanage\.py runserver\b|\bmkdocs serve\b|\bgatsby develop\b/, port: 8000},
  {start: /\brackup\b/, port: 9292, flag: '-p '},
  {start: /\bpuma\b/, port: 9292, takes: 'PORT'}
]

/** Finds the number of the first known program of a line; undefined: it starts none of them. `command` starts the line. */
export function frameworkListening(
  table: readonly Framework[],
  line: string,
  command: readonly string[],
  folder: string,
  env: ProgramVariables
): ListensAt | undefined {
  const framework = table.find(({start}) => start.test(line))
  const match = framework?.start.exec(line)
  if (framework === undefined || !match) return undefined
  const {flag, settings, read, port: usual} = framework
  const file = (settings && entriesOf(folder).find(each => settings.test(each))) ?? ''
  const found: Partial<ListensAt> = read?.(folder, env, match) ?? {}
  const takes = found.takes ?? framework.takes ?? (flag === undefined ? undefined : byFlag(flag, line, match, command))
  const variable = typeof takes === 'object' && 'variable' in takes ? takes.variable : ''
  const inSettings = Number(SETTINGS_PORT.exec(readText(folder, file))?.[1] ?? 0)
  const port = Number(env[variable] ?? 0) || found.port || inSettings
  if (port > 0 || usual === 0) return {...found, port, takes}
  return {port: usual, guess: `the default of ${match[0].replace(/ .* /, ' ')}`, takes}
}

/** A number behind a flag at the end of a line that starts one program only. npm keeps the words in front of `--` for itself. */
function byFlag(flag: string, line: string, match: RegExpExecArray, command: readonly string[]): Takes | undefined {
  const isAlone =
    /^\s*(?:npx |pnpm exec |yarn |bunx |bundle exec )?$/.test(line.slice(0, match.index)) && !/[&|;]/.test(line)
  const own = command[0] === 'npm' ? ['--'] : []
  return isAlone ? {words: port => [...command, ...own, ...`${flag}${port}`.split(' ')]} : undefined
}
