import {homedir} from 'node:os'
import {basename, resolve} from 'node:path'
import {packageScript} from './package-script.ts'

/** A program that a command starts, by its name without a folder. */
export interface StartedProgram {
  readonly name: string
  readonly args: readonly string[]
}

/** Programs that start the program after them. */
const LAUNCHERS = new Set(
  'npx bunx pnpx exec env cross-env poetry uv uvx pipenv run dlx corepack dotenv doppler op infisical asdf'.split(' ')
)
/** Flags of launchers that are followed by a value. */
const VALUED =
  /^(?:--(?:extra|group|env-file|with|with-editable|with-requirements|python|project|directory|package|config)|-[XWpeaC])$/
/** Programs that start the program after their own words: the number of these without flags, and flags with a value. */
const WRAPPERS = new Map<string, readonly [words: number, withValue: RegExp]>([
  ...'nohup setsid time dumb-init tini numactl'.split(' ').map(name => [name, [0, /^$/]] as const),
  ...'su-exec gosu taskset'.split(' ').map(name => [name, [1, /^$/]] as const),
  ['stdbuf', [0, /^-[ioe]$/]],
  ['nice', [0, /^-n$/]],
  ['ionice', [0, /^-[cn]$/]],
  ['sudo', [0, /^-[ugCDhpRrTt]$/]],
  ['doas', [0, /^-[uC]$/]],
  ['runuser', [0, /^-[ugG]$/]],
  ['setpriv', [0, /^--(?:reuid|regid|ruid|rgid|euid|egid|groups|ambient-caps|inh-caps|bounding-set)$/]],
  ['chpst', [0, /^-[ueb/nmdofpcrt]$/]],
  ['timeout', [1, /^-[ks]$/]]
])
const PYTHON = /^python[\d.]*$/
const PACKAGE_MANAGERS = new Set(['npm', 'pnpm', 'yarn', 'bun'])
const SHELLS = new Set(['sh', 'bash', 'dash', 'zsh', 'su'])
const ASSIGNMENT = /^\w+=/

/** `npm run dev` may call `npm run vite`, and so on. */
const MAX_DEPTH = 5

/** Returns the programs of a command, from the outside in: itself, then programs of launchers, shells and scripts of the `package.json` in `folder`. */
export function programsIn(
  command: readonly string[],
  folder: string,
  within: readonly string[] = []
): readonly StartedProgram[] {
  if (within.length > MAX_DEPTH) return []
  const first = command.findIndex(word => !ASSIGNMENT.test(word))
  const [program, ...args] = first === -1 ? [] : command.slice(first)
  if (program === undefined) return []
  const name = basename(program)
  return [{name, args}, ...startedBy({name, args}, folder, within)]
}

/** `within`: the wrappers, launchers and scripts on the way to this program; ends endless recursion. */
function startedBy({name, args}: StartedProgram, folder: string, within: readonly string[]): readonly StartedProgram[] {
  if (SHELLS.has(name)) return inShell(args, folder, within)
  const wrapper = WRAPPERS.get(name)
  if (wrapper !== undefined) return programsIn(behind(args, wrapper), folder, [...within, name])
  if (PACKAGE_MANAGERS.has(name)) {
    const found = packageScript(args, folder)
    if (found !== undefined) return inScript(found.script, found.folder, within)
    if (name === 'npm' && args.includes('run')) return []
  }
  const isLauncher = LAUNCHERS.has(name) || PACKAGE_MANAGERS.has(name) || PYTHON.test(name)
  return isLauncher ? programsIn(launched(args), folder, [...within, name]) : []
}

/** Returns the command that a launcher starts: the words after `--`, or after its own flags. */
function launched(args: readonly string[]): readonly string[] {
  const dashes = args.indexOf('--')
  if (dashes !== -1) return args.slice(dashes + 1)
  return behind(args, [0, VALUED])
}

/** Returns the arguments after a wrapper's own words. */
function behind(
  args: readonly string[],
  [words, withValue]: readonly [words: number, withValue: RegExp]
): readonly string[] {
  let at = 0
  while (args[at]?.startsWith('-') === true) at += withValue.test(args[at] ?? '') ? 2 : 1
  return args.slice(at + words)
}

/** `sh -c 'a && b'`, or a script with its path. */
function inShell(args: readonly string[], folder: string, within: readonly string[]): readonly StartedProgram[] {
  const flag = args.findIndex(arg => /^-[a-z]*c$/.test(arg))
  if (flag !== -1) return inScript(args[flag + 1] ?? '', folder, within)
  const [script, ...rest] = behind(args, [0, /^[-+]o$/])
  return script === undefined ? [] : [{name: basename(script), args: rest}]
}

/** Text that a shell does not split: an escaped character, a quoted text, `$( )`, a comment. */
const WHOLE = String.raw`\\[^]|'[^']*'|"(?:\\[^]|[^"\\])*"|\x60[^\x60]*\x60|\$\((?:[^()]|\([^()]*\))*\)|(?<![^\s;&|(])#[^\n]*`
const COMMAND = new RegExp(String.raw`(?:${WHOLE}|[<>]&|&>|[^;&|\n])+`, 'g')
/** A word or a redirection: `2>&1`, `> log`. */
const WORD = new RegExp(String.raw`(?:\d*[<>]+[&|]?|&>+)\s*(?:${WHOLE}|[^\s<>])*|((?:${WHOLE}|[^\s<>])+)`, 'g')
const QUOTED = /^#[^]*|'([^']*)'|"((?:\\[^]|[^"\\])*)"|\\([^])/g
/** A here document, from its operator to its last line; or a backslash at the end of a line. */
const HERE = /<<-?[ \t]*(["']?)(\w+)\1([^\n]{0,999})\n(?:[^]*?\n)?[ \t]*\2(?=\n|$)|\\\n/g
/** Words of a shell that surround commands, and the pattern of a `case`. */
const KEYWORD = /^(?:[(){}!]*|if|then|else|elif|while|until|do|fi|done|esac|[^()]+\))$/

function inScript(script: string, folder: string, within: readonly string[]): readonly StartedProgram[] {
  if (within.includes(script)) return []
  let place = folder
  return (script.replaceAll(HERE, '$3 ').match(COMMAND) ?? []).flatMap(text => {
    const all = [...text.matchAll(WORD)].flatMap(([, word = '']) => word.replaceAll(QUOTED, '$1$2$3') || [])
    const first = all.findIndex(word => !KEYWORD.test(word))
    const words =
      first === -1 ? [] : all.slice(first).map(word => word.replace(/^\(+/, '').replace(/^([^(]*?)\)+$/, '$1'))
    const to = words.find((word, at) => at > 0 && !word.startsWith('-')) ?? (words.length === 1 ? homedir() : '')
    if (words[0] === 'cd' && !/[$`~]/.test(to)) place = resolve(place, to)
    return programsIn(words, place, [...within, script])
  })
}
