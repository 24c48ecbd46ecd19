import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {jsonIn} from '../../../../model/is-json.ts'
import {mapOf, textValue, type Values} from '../../reading/yaml-file.ts'
import {has, readText} from '../../reading/files.ts'
import {parallelStarts} from './parallel.ts'
import type {ProjectReader, ProjectStart} from './reader.ts'

/** The scripts that start a package, best first. */
export const SCRIPTS = ['dev', 'start:dev', 'start', 'serve'] as const

/** Returns the package.json of a folder, undefined if it is missing or broken. */
export function readPackage(folder: string): Values | undefined {
  const read = jsonIn(readText(folder, 'package.json'))
  return read === undefined ? undefined : mapOf(read)
}

const scriptsIn = (folder: string): Values => mapOf(readPackage(folder)?.['scripts'])

/** Packages of Node, by their scripts. */
export const node: ProjectReader = {
  startsIn(folder) {
    const parts = partsOf(folder)
    return parts.length > 0 ? parts : [nodeStart(folder)].filter(each => each !== undefined)
  },
  reasonOf(folder) {
    const deno = ['deno.json', 'deno.jsonc'].find(name => has(folder, name))
    if (!has(folder, 'package.json')) return deno === undefined ? '' : `its tasks are those of ${deno}: deno task NAME`
    const scripts = scriptsIn(folder)
    if (readPackage(folder) === undefined) return 'its package.json is not JSON'
    const {main, module, exports} = readPackage(folder) ?? {}
    const outputs = JSON.stringify([main, module, exports]).match(/(?<=")[\w./-]+\.[cm]?js(?=")/g) ?? []
    const isUnbuilt = 'build' in scripts && outputs.some(each => !has(folder, each))
    const compiles = SCRIPTS.find(name => typeof scripts[name] === 'string') ?? (isUnbuilt ? 'build' : undefined)
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
/** A script that only starts another one, with further flags. */
export const OTHER_SCRIPT =
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
export const STARTS_PARTS =
  /\b(?:concurrently|npm-run-all|run-p|turbo|nx|lerna|wsrun|ultra|moon|rush|docker[- ]compose|foreman|overmind|tilt|skaffold|run-pty|mprocs|process-compose)\b|--(?:parallel|recursive|filter|workspaces?|prefix|cwd)\b|\b(?:pnpm|yarn|npm) (?:-r|-F|-w|-C|--dir|workspaces?)\b|\bcd [\w./-]+ && (?:npm|yarn|pnpm|bun)\b/

/** Whether the script of a package starts other packages, which are found by their folders. */
export const startsParts = (folder: string): boolean =>
  STARTS_PARTS.test(startScript(folder)?.line ?? '') && partsOf(folder).length === 0

/** The programs that the script of a package starts side by side. */
const partsOf = (folder: string): readonly ProjectStart[] =>
  parallelStarts(startScript(folder)?.line ?? '', folder, scriptsIn(folder), {
    manager: managerOf(folder),
    ofPackage: line => {
      const [, before = '', program = ''] = /^((?:\w+=\S*\s+)*)([\w-]+)(?:\s|$)/.exec(line) ?? []
      const {dependencies, devDependencies} = readPackage(folder) ?? {}
      const names = Object.keys({...mapOf(dependencies), ...mapOf(devDependencies)})
      const isOwn = names.some(name => [program, `@${program}/cli`, PACKAGES[program]].includes(name))
      return isOwn ? `${before}${execOf(folder).join(' ')} ${line.slice(before.length)}` : line
    }
  })

/** Programs of packages with other names. */
const PACKAGES: Readonly<Record<string, string>> = {tsc: 'typescript', nest: '@nestjs/cli', ng: '@angular/cli'}

/** How a package starts: by the first of its usual scripts, or by a file that listens; undefined: not at all. */
function nodeStart(folder: string): ProjectStart | undefined {
  const {main} = readPackage(folder) ?? {}
  const found = startScript(folder)
  if (found !== undefined) return {command: [managerOf(folder), 'run', found.script]}
  const files = [typeof main === 'string' ? main : '', 'server.js', 'app.js']
  const file = files.find(name => name !== '' && has(folder, name))
  const isServing = file !== undefined && /\.listen\(|createServer|\bserve\(/.test(readText(folder, file))
  return isServing ? {command: ['node', file]} : undefined
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
