import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {jsonIn} from '../../../../model/is-json.ts'
import {envFileVariables} from '../../reading/variables.ts'
import {mapOf, textValue, type Values} from '../../reading/yaml-file.ts'
import {flaggedPort, readsPort, takesPortFlag, defaultPort} from '../../reading/shell-words.ts'
import {has, entriesOf, readText} from '../../reading/files.ts'
import {listeningIn, type ListensAt} from '../../reading/listening.ts'
import {projectApp, type ProjectReader, type ProjectStart, type ProgramVariables} from './project.ts'

/** The scripts that start a package, best first. */
const SCRIPTS = ['dev', 'start:dev', 'start', 'serve'] as const

/** Returns the package.json of a folder, undefined if it is missing or broken. */
export function readPackage(folder: string): Values | undefined {
  const read = jsonIn(readText(folder, 'package.json'))
  return read === undefined ? undefined : mapOf(read)
}

const scriptsIn = (folder: string): Values => mapOf(readPackage(folder)?.['scripts'])

/** Packages of Node, by their scripts. */
export const node: ProjectReader = {
  appsIn(folder, env) {
    const start = nodeStart(folder, env)
    return start === undefined ? [] : [projectApp(folder, start)]
  },
  reasonOf(folder) {
    const deno = ['deno.json', 'deno.jsonc'].find(name => has(folder, name))
    if (!has(folder, 'package.json')) return deno === undefined ? '' : `its tasks are those of ${deno}: deno task NAME`
    const scripts = scriptsIn(folder)
    if (readPackage(folder) === undefined) return 'its package.json is not JSON'
    const compiles = SCRIPTS.find(name => typeof scripts[name] === 'string')
    if (compiles === undefined)
      return `its package.json has no script ${SCRIPTS.slice(0, -1).join(', ')} or ${SCRIPTS.at(-1) ?? ''}`
    return `its script ${compiles} only builds it: apps that import it need ${managerOf(folder)} run ${'build' in scripts ? 'build' : compiles} there once`
  }
}

/** Returns the script that starts a package, and its line, or the line of a script that it names. */
function startScript(folder: string): {readonly script: string; readonly line: string} | undefined {
  const scripts = scriptsIn(folder)
  const lineOf = (name: string): string => {
    const line = textValue(scripts[name]).trim()
    const [, other = '', rest = ''] = OTHER_SCRIPT.exec(line) ?? []
    return textValue(scripts[other]) === '' ? line : `${textValue(scripts[other])}${rest}`
  }
  const script = SCRIPTS.find(name => typeof scripts[name] === 'string' && !onlyBuilds(lineOf(name)))
  return script === undefined ? undefined : {script, line: lineOf(script)}
}
const OTHER_SCRIPT =
  /^(?:npm run|pnpm(?: run)?|yarn(?: run)?|bun run) ([\w:.-]+)((?: --)?(?: --(?:watch|port[ =]\d+))*)$/

/** Programs that build a package, and serve nothing. */
const BUILDERS =
  /^(?:tsc|tsup|tsdown|unbuild|rollup|microbundle|babel|swc|ncc|vite build|esbuild|bunchee|svelte-package|tshy|vue-tsc|ng-packagr|prisma|drizzle-kit|graphql-codegen|tailwindcss|sass|panda|echo|exit|true|rimraf|rm|mkdir|cp|copyfiles|eslint|prettier|jest|vitest|tspc|ttsc|father|dts|nodemon --watch src --exec tsc)\b(?!-watch)/

/** Whether a script compiles, and starts no program. */
function onlyBuilds(line: string): boolean {
  if (/onsuccess|--import|--run\b/i.test(line)) return false
  const parts = line
    .split(/&&|\|\||[;&|]/)
    .map(part => part.trim().replace(/^(?:(?:npx|cross-env|pnpm exec|yarn|bunx|\w+=\S*)\s+)*/, ''))
  return parts.every(part => part === '' || BUILDERS.test(part))
}

/** Programs that start the packages of a project, each by its own script. */
const STARTS_PARTS =
  /\b(?:concurrently|npm-run-all|run-p|turbo|nx|lerna|wsrun|ultra|moon|rush|docker[- ]compose|foreman|overmind|tilt|skaffold)\b|--(?:parallel|recursive|filter|workspaces?|prefix|cwd)\b|\b(?:pnpm|yarn|npm) (?:-r|-F|-w|-C|--dir|workspaces?)\b|\bcd [\w./-]+ && (?:npm|yarn|pnpm|bun)\b/

/** Whether the script of a package starts other packages. */
export const startsParts = (folder: string): boolean => STARTS_PARTS.test(startScript(folder)?.line ?? '')

/** How a package starts: by the first of its usual scripts, or by a file that listens; undefined: not at all. */
function nodeStart(folder: string, env?: ProgramVariables): ProjectStart | undefined {
  const {main} = readPackage(folder) ?? {}
  const found = startScript(folder)
  if (found !== undefined) {
    const {script, line} = found
    const command = [managerOf(folder), 'run', script]
    const notes = [buildNote(command, folder)].filter(Boolean)
    return {command, ...nodeListening(line, command, folder, env), notes}
  }
  const files = [typeof main === 'string' ? main : '', 'server.js', 'app.js']
  const file = files.find(name => name !== '' && has(folder, name))
  const text = file === undefined ? '' : readText(folder, file)
  if (file === undefined || !looksServing(text)) return undefined
  const command = ['node', file]
  return {command, ...nodeListening(command.join(' '), command, folder, env)}
}

/** Finds the port of a package's line: by its flags, the settings of its program, its text, or by default. */
export function nodeListening(
  line: string,
  command: readonly string[],
  folder: string,
  env?: ProgramVariables
): ListensAt {
  const written = flaggedPort(line) || configuredPort(line, folder)
  const takes = takesOf(line, command)
  if (written > 0) return {port: written, takes}
  const usual = defaultPort(line)
  if (usual !== undefined) return {...usual, takes}
  const text = readText(folder, sourceOf(line, folder, readPackage(folder)?.['main']))
  const found = listeningIn(text, folder, env)
  return {...found, takes: found.takes ?? takes}
}

/** Programs, and the files that say their port. */
const CONFIGS: readonly (readonly [RegExp, RegExp])[] = [
  [/\bvite(?! build| preview)\b/, /^vite\.config\.\w+$/],
  [/\bnux[ti]\b/, /^nuxt\.config\.\w+$/],
  [/\bastro\b/, /^astro\.config\.\w+$/],
  [/\bwebpack\b/, /^webpack(?:\.(?:dev|development))?(?:\.config)?\.\w+$/],
  [/\bvue-cli-service\b/, /^vue\.config\.\w+$/],
  [/\bng serve\b/, /^angular\.json$/]
]

/** The port in the settings of the program that a script starts; 0: none. */
function configuredPort(line: string, folder: string): number {
  const files = CONFIGS.find(([program]) => program.test(line))?.[1]
  const name = files && entriesOf(folder).find(each => files.test(each))
  if (/\breact-scripts\b/.test(line)) return Number(envFileVariables(join(folder, '.env'))['PORT'] ?? 0)
  return name === undefined ? 0 : Number(/["']?\bport["']?\s*:\s*(\d{4,5})\b/.exec(readText(folder, name))?.[1] ?? 0)
}

/** Servers of built files, and the folder of these. */
const SERVES_BUILT: readonly (readonly [RegExp, string])[] = [
  [/\bnext start\b/, '.next'],
  [/\bvite preview\b|\bserve -s dist\b/, 'dist'],
  [/\bnuxt start\b|\bnuxi preview\b/, '.output'],
  [/\bremix-serve\b|\breact-router-serve\b|\bserve -s build\b/, 'build'],
  [/\bastro preview\b/, 'dist']
]
const NODE_FILE =
  /^(?:\w+=\S* )*(?:cross-env (?:\w+=\S* )*)?node (?:--\S+ )*(\.?\/?(?:[\w.-]+\/)*(?:dist|build|lib|out)\/[\w./-]+)/

/** Notes a build that a command of a package, or its script, needs first; returns an empty string for none. */
export function buildNote(command: readonly string[], folder: string): string {
  const [, script = ''] = /^(?:npm|pnpm|yarn|bun)(?: run)? ([\w:.-]+)$/.exec(command.join(' ')) ?? []
  const line = textValue(scriptsIn(folder)[script]) || command.join(' ')
  const file = NODE_FILE.exec(line)?.[1] ?? SERVES_BUILT.find(([server]) => server.test(line))?.[1] ?? ''
  if (file === '' || ['', '.js', '.mjs', '.cjs', '/index.js'].some(end => existsSync(join(folder, file + end))))
    return ''
  return `it starts ${file}, which is not there: ${managerOf(folder)} run build makes it`
}

/** The usual files of the program that listens. */
const ENTRIES = ['src/main', 'src/index', 'src/server', 'src/app', 'server', 'index', 'app', 'main'].flatMap(name =>
  ['ts', 'js', 'mjs', 'cjs'].map(end => `${name}.${end}`)
)

/** The file that a script starts, or the usual one. */
function sourceOf(line: string, folder: string, main: unknown): string {
  const named = line.split(/\s+/).filter(word => /\.[cm]?[jt]sx?$/.test(word))
  const all = [...named, ...(typeof main === 'string' ? [main] : []), ...ENTRIES].filter(name => has(folder, name))
  return all.find(name => looksServing(readText(folder, name))) ?? ''
}

function takesOf(line: string, command: readonly string[]): ListensAt['takes'] {
  if (flaggedPort(line) > 0) return undefined
  if (readsPort(line)) return 'PORT'
  if (!takesPortFlag(line)) return undefined
  // npm keeps the words in front of -- for itself
  return {words: port => [...command, ...(command[0] === 'npm' ? ['--'] : []), '--port', port]}
}

/** How its package manager runs the program of a package. */
export const execOf = (folder: string): readonly string[] =>
  ({pnpm: ['pnpm', 'exec'], yarn: ['yarn'], bun: ['bunx']})[managerOf(folder)] ?? ['npx']

/** The package manager that a project names, or whose lock file it has, in the folder or above. */
export function managerOf(folder: string): string {
  for (const each of ['.', '..', '../..', '../../..', '../../../..'].map(way => join(folder, way))) {
    const named = /^(npm|pnpm|yarn|bun)@/.exec(String(readPackage(each)?.['packageManager']))?.[1]
    if (named !== undefined) return named
    if (has(each, 'pnpm-lock.yaml', 'pnpm-workspace.yaml')) return 'pnpm'
    if (has(each, 'yarn.lock')) return 'yarn'
    if (has(each, 'bun.lock', 'bun.lockb')) return 'bun'
    if (has(each, 'package-lock.json')) return 'npm'
  }
  return 'npm'
}

const looksServing = (text: string): boolean => /\.listen\(|createServer|\bserve\(/.test(text)
