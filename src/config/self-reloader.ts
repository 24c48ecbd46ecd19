import {readFileSync} from 'node:fs'
import {basename, join} from 'node:path'

/** Programs that reload or serve changes themselves whatever their arguments. */
const ALWAYS = new Set(['vite', 'nodemon', 'air', 'ts-node-dev', 'tsnd', 'node-dev', 'webpack-dev-server', 'watchexec'])

/** Programs that do with one of these words behind them. */
const WITH: ReadonlyMap<string, readonly string[]> = new Map([
  ['next', ['dev']],
  ['nuxt', ['dev']],
  ['nuxi', ['dev']],
  ['astro', ['dev']],
  ['remix', ['dev']],
  ['react-router', ['dev']],
  ['vue-cli-service', ['serve']],
  ['react-scripts', ['start']],
  ['ng', ['serve']],
  ['webpack', ['serve', '--watch', '-w']],
  ['node', ['--watch', '--watch-path']],
  ['tsx', ['watch']],
  ['ts-node', ['--watch']],
  ['bun', ['--watch', '--hot']],
  ['deno', ['--watch']],
  ['uvicorn', ['--reload']],
  ['gunicorn', ['--reload']],
  ['hypercorn', ['--reload']],
  ['granian', ['--reload']],
  ['fastapi', ['dev']],
  ['flask', ['--debug', '--reload']],
  ['manage.py', ['runserver']],
  ['dotnet', ['watch']],
  ['cargo', ['watch']],
  ['nest', ['--watch', '-w']]
])

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
 * What makes a command reload itself when files change (`vite`, `uvicorn --reload`), '' if nothing does. Scripts of the
 * `package.json` in `folder` are looked up.
 */
export function selfReloader(command: readonly string[], folder: string, depth = 0): string {
  if (depth > MAX_DEPTH) return ''
  const words = command.filter((word, index) => !(ASSIGNMENT.test(word) && index < firstProgram(command)))
  const [program = '', ...args] = words
  const name = basename(program)
  if (ALWAYS.has(name) && !isBuild(name, args)) return name
  const word = WITH.get(name)?.find(each => args.some(arg => arg === each || arg.startsWith(`${each}=`)))
  if (word !== undefined && !(name === 'node' && isBehindScript(args, word))) return `${name} ${word}`
  if (SHELLS.has(name)) return inShell(args, folder, depth)
  if (PACKAGE_MANAGERS.has(name)) {
    const script = scriptOf(args, folder)
    if (script !== '') return inScript(script, folder, depth)
  }
  const isLauncher = LAUNCHERS.has(name) || PACKAGE_MANAGERS.has(name) || PYTHON.test(name)
  const rest = args.findIndex(arg => !arg.startsWith('-'))
  return isLauncher && rest !== -1 ? selfReloader(args.slice(rest), folder, depth + 1) : ''
}

const firstProgram = (command: readonly string[]): number => command.findIndex(word => !ASSIGNMENT.test(word))

/** `vite build` and `vite preview` end, or serve what was built. */
const isBuild = (name: string, [first = '']: readonly string[]): boolean =>
  name === 'vite' && ['build', 'preview', 'optimize'].includes(first)

/** `node app.js --watch`: the word is for the app. */
function isBehindScript(args: readonly string[], word: string): boolean {
  const script = args.findIndex(arg => !arg.startsWith('-'))
  return script !== -1 && script < args.findIndex(arg => arg.startsWith(word))
}

/** `sh -c 'a && b'` */
function inShell(args: readonly string[], folder: string, depth: number): string {
  const flag = args.findIndex(arg => /^-[a-z]*c$/.test(arg))
  return flag === -1 ? '' : inScript(args[flag + 1] ?? '', folder, depth)
}

function inScript(script: string, folder: string, depth: number): string {
  const commands = script.split(/&&|\|\||[;|&\n]/).map(each => each.trim().split(/\s+/).filter(Boolean))
  return commands.map(words => selfReloader(words, folder, depth + 1)).find(found => found !== '') ?? ''
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
