// Scripts that start several programs: concurrently (github.com/open-cli-tools/concurrently) and npm-run-all.
import {basename, resolve} from 'node:path'
import {packageScript} from '../../../../files/config/package-script.ts'
import {jsonIn} from '../../../../model/is-json.ts'
import {isFolder, readText} from '../../reading/files.ts'
import {commandOf, splitFolder, splitWords} from '../../reading/shell-words.ts'
import {listedValues, mapOf, textsOf, textValue, type Values} from '../../reading/yaml-file.ts'
import type {ProjectStart} from './reader.ts'

/** A program of such a script. */
interface Part {
  /** The name that the script gives it; '': none. */
  readonly name: string
  readonly line: string
}

/** The package of a script. */
interface Around {
  readonly manager: string
  /** A line whose program is that of a package: the script finds it there. */
  readonly ofPackage: (line: string) => string
}

/** Words before the tool that do not change what it starts. */
const BEFORE = /^(?:(?:npx|cross-env|\w+=\S*)\s+)+/
/** Flags of concurrently and npm-run-all with a value. */
const VALUED =
  /^(?:-[cplmst]|--(?:prefix|prefix-colors|prefix-length|success|max-processes|max-parallel|timestamp-format|restart-tries|restart-after|kill-signal|kill-timeout|name-separator|hide|default-input-target|teardown))$/
/** Tools that start packages of a workspace, which are found by their folders. */
const OF_WORKSPACE = /\b(?:turbo|nx|lerna)\b|--workspaces\b|\b(?:pnpm|yarn) -r\b/
/** Words of script names that say nothing of the program. */
const USUAL = new Set(['dev', 'develop', 'start', 'watch', 'serve', 'run', 'local'])

/** The programs that a script of a package starts side by side, each in its folder; none if it is no such script, or starts a workspace. */
export function parallelStarts(
  script: string,
  folder: string,
  scripts: Values,
  around: Around
): readonly ProjectStart[] {
  const [tool = '', ...words] = splitWords(script.replace(BEFORE, ''))
  const all = tool === 'run-pty' ? ['conc', ...linesIn(folder, words[0] ?? '')] : [tool, ...words]
  const parts = partsOf(all, scripts, around)
  return parts.length < 2 || OF_WORKSPACE.test(script) ? [] : parts.map(part => startOf(part, folder, scripts))
}

/** The command lines in a list of run-pty (github.com/lydell/run-pty). */
const linesIn = (folder: string, name: string): readonly string[] =>
  listedValues(jsonIn(readText(folder, name)))
    .map(mapOf)
    .map(({cwd = '.', command}) => `cd ${textValue(cwd)} && ${textsOf(command).join(' ')}`.replace(/^cd \. && /, ''))

function partsOf([tool = '', ...words]: readonly string[], scripts: Values, around: Around): readonly Part[] {
  if (words.some(word => /^(?:&&?|\|\|?|;)$/.test(word))) return []
  if (tool === 'run-p')
    return words.filter(word => !word.startsWith('-')).flatMap(name => scriptParts(around.manager, name, scripts))
  // steps in front of the programs are those of the script
  if (/^npm-run-all2?$/.test(tool))
    return /^(?:-p|--parallel)$/.test(words[0] ?? '') ? partsOf(['run-p', ...words], scripts, around) : []
  if (tool !== 'concurrently' && tool !== 'conc') return []
  const lines: string[] = []
  let names: readonly string[] = []
  const all = words.flatMap(word => /^(--?[\w-]+)=(.*)$/s.exec(word)?.slice(1) ?? [word])
  for (let at = 0; at < all.length; at++) {
    const word = all[at] ?? ''
    if (word === '-n' || word === '--names') names = (all[++at] ?? '').split(',')
    else if (VALUED.test(word)) at++
    else if (!word.startsWith('-')) lines.push(word)
  }
  return lines.flatMap((line, at) => {
    const [, by = '', name = ''] = /^(npm|pnpm|yarn|bun)(?::| run )(\S+)$/.exec(line) ?? []
    const found = name === '' ? [] : scriptParts(by, name, scripts)
    const [{name: usual, line: run} = {name: '', line}, ...more] = found
    return more.length > 0 ? found : [{name: (names[at] ?? '').trim() || usual, line: around.ofPackage(run)}]
  })
}

/** The scripts that a name or pattern means: `dev:*`. */
const scriptParts = (manager: string, pattern: string, scripts: Values): readonly Part[] =>
  Object.keys(scripts)
    .filter(name => (pattern.endsWith('*') ? name.startsWith(pattern.replace(/\*+$/, '')) : name === pattern))
    .map(name => ({name: tellingName(name), line: `${manager} run ${name}`}))

/** `server` of `dev:server` and `server:dev`. */
const tellingName = (script: string): string =>
  script
    .split(':')
    .filter(word => !USUAL.has(word))
    .join('-')

function startOf({name, line}: Part, root: string, scripts: Values): ProjectStart {
  const [, script = ''] = /^\w+ run (\S+)$/.exec(line) ?? []
  const own = placed(line, root)
  const {folder, command} = [placed(textValue(scripts[script]), root), own].find(each => each.folder !== root) ?? own
  const id = name || (folder === root ? programName(command) : basename(folder))
  return {command, folder, isNamed: true, id: id.replaceAll(/[^\w.-]+/g, '-')}
}

/** Returns the folder to which a line changes first, and the rest of the line; a line that names no folder of `root` stays whole. */
export function placedLine(typed: string, root: string): {readonly folder: string; readonly line: string} {
  const {folder, line} = splitFolder(typed)
  const path = resolve(root, folder)
  return isFolder(path) ? {folder: path, line} : {folder: root, line: typed}
}

/** A line in the folder that it changes to, or in that of its package: `cd web && npm start`, `npm start --prefix web`. */
function placed(line: string, root: string): {readonly folder: string; readonly command: readonly string[]} {
  const {folder, line: rest} = placedLine(line, root)
  const command = commandOf(rest)
  if (folder !== root) return {folder, command}
  const [manager = '', ...words] = command
  const found = /^(?:npm|pnpm|yarn|bun)$/.test(manager) ? packageScript(words, root) : undefined
  if (found === undefined || found.folder === root) return {folder: root, command}
  return {folder: found.folder, command: [manager, 'run', found.name]}
}

/** `server` of `nodemon src/server.js`. */
const programName = (command: readonly string[]): string =>
  basename(
    command.find(word => /\.\w+$/.test(word)) ?? command.find(word => !/^(?:npx|pnpm|exec|yarn|bunx)$/.test(word)) ?? ''
  ).replace(/\.\w+$/, '')
