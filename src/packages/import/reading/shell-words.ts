import {programsIn} from '../../../files/config/programs.ts'

/** Syntax that only a shell understands: operators, quotes, variables, globs, assignments before the program, its own commands. */
const SHELL_SYNTAX =
  /[&|;<>()$`\\"'*?[\]{}~#\n]|^\s*\w+=|^\s*(?:cd|exec|source|\.|export|set|if|while|for|until|ulimit|exit|eval|wait|trap|umask|unset|time|command|:)(?:\s|$)/
/** Syntax that only bash understands. */
const BASH_SYNTAX =
  /(?:^|[;&|]\s*)time\s|\[\[|<\(|\b(?:source|declare|shopt|mapfile)\s|\bpipefail\b|\$'|<<<|&>|(?<!\$)\(\(|\{\w+\.\.\w+\}|\$\{\w+(?:[/^,[]|:\d)|\w=\(/

/** A command line as the `command` of a template: words if they are plain, else for a shell. */
export function commandOf(line: string): readonly string[] {
  const text = line.trim()
  if (text === '') return []
  if (!SHELL_SYNTAX.test(text)) return text.split(/\s+/)
  return [BASH_SYNTAX.test(text) ? 'bash' : 'sh', '-c', text]
}

/** A piece of a word: a blank between words, quoted text, an escaped character, a variable with its braces, or plain text. */
const PIECE =
  /(\s+)|'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|(\$\{(?:[^{}]|\{[^{}]*\})*\})|((?:(?!\$\{)[^\s'"\\])+|['"\\$])/g

/** The words of a text, with quotes and `\` as a shell has them, and nothing else that a shell does. */
export function splitWords(text: string): readonly string[] {
  const words: string[] = []
  let isOpen = false
  for (const [, blank, single, double, escaped, variable, plain] of text.trim().matchAll(PIECE)) {
    if (blank === undefined && !isOpen) words.push('')
    isOpen = blank === undefined
    const quoted = double?.replaceAll(/\\(["\\$`])/g, '$1')
    const piece = single ?? quoted ?? escaped ?? variable?.replaceAll(/["']/g, '') ?? plain
    if (piece !== undefined) words.push(`${words.pop() ?? ''}${piece}`)
  }
  return words
}

const COLON_PART = /((?:\$\{(?:[^{}]|\{[^{}]*\})*\}|\[[^[\]]*\]|[^:])*)(?::|$)/g
/** The parts of a text between its colons; a variable and an address may contain some: `${DATA:-./data}:/data`, `[::1]:80:80`. */
export const colonParts = (text: string): readonly string[] =>
  [...text.matchAll(COLON_PART)].map(([, part = '']) => part).slice(0, -1) // the last alternative is the end

const PORT_FLAG =
  /(?:--port[ =]|(?:^|\s)-p[ =]?(?:[\d.]+:(?=\d+:))?|--bind[ =]\S*:|(?:^|\s)-b[ =]?\S*:|\bPORT=|0\.0\.0\.0:|(?:-S|--listen|--addr(?:ess)?)[ =](?:localhost|127\.0\.0\.1|\[::1?\]):|--http\.port=|runserver \S*?:?)["']?(\d{2,5})\b/

/** Addresses of databases and brokers that a program calls: no program of this machine listens at one of these. */
const OF_SERVERS = /(?<!\w)(?!(?:https?|tcp|ssl|wss?|grpc):)[a-z][\w+.-]*:\/\/\S+/g

/** The port that a command line names, or that its program is known for; 0: unknown. */
export const commandPort = (line: string): number => flaggedPort(line) || (defaultPort(line)?.port ?? 0)

/** Returns the default port of a known program, and the words that show it; undefined = none, or a variable has it. */
export function defaultPort(line: string): {readonly port: number; readonly guess: string} | undefined {
  const [start, port = 0] = USUAL_PORTS.find(([each]) => each.test(line)) ?? []
  const [name = ''] = start?.exec(line) ?? []
  return port === 0 || portVariable(line) !== ''
    ? undefined
    : {port, guess: `the default of ${name.replace(/ .* /, ' ')}`}
}

/** The variable that a command line takes its port from: `--port $WEB_PORT`; '' = none. */
export const portVariable = (line: string): string =>
  /(?:--port[ =]|(?:^|\s)-p[ =]?|--bind[ =]\S*:|(?:^|\s)-b[ =]?\S*:)["']?\$\{?(\w+)/.exec(line)?.[1] ?? ''

/** The port that a command line names; 0: none. */
export function flaggedPort(line: string): number {
  const written = Number(PORT_FLAG.exec(line.replaceAll(OF_SERVERS, ''))?.[1] ?? 0)
  return written <= 65_535 ? written : 0
}

/** Whether a program is known to listen on the port of the variable PORT, unless it is given another one. */
export const readsPort = (line: string): boolean => READS_PORT.test(line)
const READS_PORT =
  /\b(?:next|nuxt|nuxi|nitro|nitropack|react-router|remix) (?:dev|start)\b|\breact-scripts start\b|\brails s(?:erver)?\b|\bgunicorn\b|\bpuma\b/

/** Programs of Node and Python: Pillion moves their bind. */
const MOVED =
  /^(?:node|nodemon|tsx|ts-node|ts-node-dev|next|nuxt|nuxi|vite|astro|nest|react-scripts|ng|python[\d.]*|uvicorn|gunicorn|hypercorn|flask|fastapi|granian|manage\.py)$/

/** Whether a program may have the number of its `port` in its code. */
export const hasMovedBind = (command: readonly string[], folder: string): boolean =>
  programsIn(command, folder).some(({name}) => MOVED.test(name))

/** Whether `--port NUMBER` after a command line moves its program: the line only starts it. */
export const takesPortFlag = (line: string): boolean => TAKES_PORT_FLAG.test(line)
const TAKES_PORT_FLAG =
  /^\s*(?:npx )?(?:vite|astro|ng serve|vue-cli-service serve|webpack(?:-dev-server| serve)|uvicorn|fastapi)\b[^&|;]*$/

/** Ports on which programs of development listen unless they are given another one. */
const USUAL_PORTS: readonly (readonly [RegExp, number])[] = [
  [/\bvite preview\b/, 4173],
  [/\bvite(?! build| optimize)\b|\bvite dev\b/, 5173],
  [/\b(?:next|nuxt|nuxi|nitro|nitropack|react-router) (?:dev|start)\b|\breact-scripts start\b/, 3000],
  [/\bremix dev\b|\brails s(?:erver)?\b|\bdocusaurus start\b|\brsbuild dev\b/, 3000],
  [/\bastro dev\b/, 4321],
  [/\bng serve\b/, 4200],
  [/\bvue-cli-service serve\b|\bwebpack(?:-dev-server| serve)\b/, 8080],
  [/\bflask\b.*\brun\b/, 5000],
  [/\buvicorn\b|\bfastapi (?:dev|run)\b|\bgunicorn\b/, 8000],
  [/\bmanage\.py runserver\b|\bphp artisan serve\b|\bmkdocs serve\b|\bgatsby develop\b/, 8000],
  [/\bspring-boot:run\b|\bbootRun\b|\bquarkus:dev\b/, 8080],
  [/\bpuma\b/, 9292],
  [/\bmix phx\.server\b/, 4000]
]

/** `cd web && npm start` */
const CHANGES_FOLDER = /^cd\s+(?:"([^"$`\\]+)"|'([^']+)'|([\w./@+-]+))\s*&&\s*(?:exec\s+)?(\S[^]*)$/

/** The folder that a command line changes to first, '' if it does not, and the rest of the line. */
export function splitFolder(line: string): {readonly folder: string; readonly line: string} {
  const [, double, single, plain, rest] = CHANGES_FOLDER.exec(line.trim()) ?? []
  return rest === undefined ? {folder: '', line} : {folder: double ?? single ?? plain ?? '', line: rest}
}
