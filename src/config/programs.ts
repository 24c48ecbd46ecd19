import {readFileSync} from 'node:fs'
import {basename, join} from 'node:path'

/** A program that a command starts, by its name without a folder. */
export interface StartedProgram {
  readonly name: string
  readonly args: readonly string[]
}

/** Programs that start the one behind them. */
const LAUNCHERS = new Set([
  'npx',
  'bunx',
  'pnpx',
  'exec',
  'env',
  'cross-env',
  'poetry',
  'uv',
  'uvx',
  'pipenv',
  'run',
  'dlx'
])
const PYTHON = /^python[\d.]*$/
const PACKAGE_MANAGERS = new Set(['npm', 'pnpm', 'yarn', 'bun'])
const SHELLS = new Set(['sh', 'bash', 'dash', 'zsh'])
const ASSIGNMENT = /^\w+=/

/** `npm run dev` may call `npm run vite`, and so on. */
const MAX_DEPTH = 5

/**
 * The programs that a command starts, from the outside in: itself, what a launcher, a shell or a script of the
 * `package.json` in `folder` starts, in order.
 */
export function programsIn(command: readonly string[], folder: string, depth = 0): readonly StartedProgram[] {
  if (depth > MAX_DEPTH) return []
  const words = command.filter((word, index) => !(ASSIGNMENT.test(word) && index < firstProgram(command)))
  const [program, ...args] = words
  if (program === undefined) return []
  const name = basename(program)
  return [{name, args}, ...startedBy({name, args}, folder, depth)]
}

function startedBy({name, args}: StartedProgram, folder: string, depth: number): readonly StartedProgram[] {
  if (SHELLS.has(name)) return inShell(args, folder, depth)
  if (PACKAGE_MANAGERS.has(name)) {
    const script = scriptOf(args, folder)
    if (script !== '') return inScript(script, folder, depth)
  }
  const isLauncher = LAUNCHERS.has(name) || PACKAGE_MANAGERS.has(name) || PYTHON.test(name)
  const rest = args.findIndex(arg => !arg.startsWith('-'))
  return isLauncher && rest !== -1 ? programsIn(args.slice(rest), folder, depth + 1) : []
}

const firstProgram = (command: readonly string[]): number => command.findIndex(word => !ASSIGNMENT.test(word))

/** `sh -c 'a && b'` */
function inShell(args: readonly string[], folder: string, depth: number): readonly StartedProgram[] {
  const flag = args.findIndex(arg => /^-[a-z]*c$/.test(arg))
  return flag === -1 ? [] : inScript(args[flag + 1] ?? '', folder, depth)
}

function inScript(script: string, folder: string, depth: number): readonly StartedProgram[] {
  const commands = script.split(/&&|\|\||[;|&\n]/).map(each => each.trim().split(/\s+/).filter(Boolean))
  return commands.flatMap(words => programsIn(words, folder, depth + 1))
}

/** The script that `npm run dev`, `npm start`, `yarn dev` and the like name, '' if there is none. */
function scriptOf(args: readonly string[], folder: string): string {
  const [first = '', second = ''] = args.filter(arg => !arg.startsWith('-'))
  const name = ['run', 'run-script'].includes(first) ? second : first
  try {
    const {scripts} = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      scripts?: Record<string, unknown>
    }
    const script = scripts?.[name]
    return typeof script === 'string' ? script : ''
  } catch {
    return '' // there is none, or it is not JSON
  }
}
