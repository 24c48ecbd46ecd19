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
  /(?:--port[ =]|(?:^|\s)-p[ =]?(?:[\d.]+:(?=\d+:))?|(?:^|\s)-b[ =]?\S*:|\bPORT=|0\.0\.0\.0:|(?:-S|--(?!listen-peer)(?:bind|listen[\w-]{0,40}|addr(?:ess)?))[ =](?:\w+:\/\/)?(?:[\w.-]{1,100}|\[[\d:]{0,40}\])?:|--http\.port=|runserver \S*?:?)["']?(\d{2,5})\b/

/** Addresses of databases and brokers that a program calls: no program of this machine listens at one of these. */
const OF_SERVERS = /(?<!\w)(?!(?:https?|tcp|ssl|wss?|grpc):)[a-z][\w+.-]{0,30}:\/\/\S+/g
/** Addresses of debuggers, and programs that call a server at the number of their flags. */
const CLIENTS =
  /--inspect\S*|-agentlib:\S+|\bdebugpy --listen \S+|\b(?:psql|pg_isready|createdb|mysql|mysqladmin|redis-cli|mongosh|curl|nc|wait-(?:for|on)[\w.-]{0,40})\s[^&|;\n]*/g

/** The variable that a command line takes its port from: `--port $WEB_PORT`; '': none. */
export const portVariable = (line: string): string =>
  /(?:--port[ =]|(?:^|\s)-p[ =]?|--bind[ =]\S*:|(?:^|\s)-b[ =]?\S*:)["']?\$\{?(\w+)/.exec(line)?.[1] ?? ''

/** The port that a command line names; 0: none. */
export function flaggedPort(line: string): number {
  const written = Number(PORT_FLAG.exec(line.replaceAll(OF_SERVERS, '').replaceAll(CLIENTS, ''))?.[1] ?? 0)
  return written <= 65_535 ? written : 0
}

/** Programs of Node and Python: Pillion moves their bind. */
const MOVED =
  /^(?:node|nodemon|tsx|ts-node|ts-node-dev|next|nuxt|nuxi|vite|astro|nest|react-scripts|ng|python[\d.]*|uvicorn|gunicorn|hypercorn|flask|fastapi|granian|manage\.py)$/

/** Whether a program may have the number of its `port` in its code. */
export const hasMovedBind = (command: readonly string[], folder: string): boolean =>
  programsIn(command, folder).some(({name}) => MOVED.test(name))

/** `cd web && npm start` */
const CHANGES_FOLDER = /^cd\s+(?:"([^"$`\\]+)"|'([^']+)'|([\w./@+-]+))\s*&&\s*(?:exec\s+)?(\S[^]*)$/

/** The folder that a command line changes to first, '' if it does not, and the rest of the line. */
export function splitFolder(line: string): {readonly folder: string; readonly line: string} {
  const [, double, single, plain, rest] = CHANGES_FOLDER.exec(line.trim()) ?? []
  return rest === undefined ? {folder: '', line} : {folder: double ?? single ?? plain ?? '', line: rest}
}
