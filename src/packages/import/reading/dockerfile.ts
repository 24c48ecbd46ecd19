import {existsSync} from 'node:fs'
import {basename, join, relative, resolve} from 'node:path'
import {isInside} from '../../../model/glob.ts'
import {jsonIn} from '../../../model/is-json.ts'
import {isFolder, textAt} from './files.ts'
import {commandOf, splitWords} from './shell-words.ts'
import {emptyRecord} from '../../../model/own.ts'

/** Programs that a machine of a developer has, too. */
const PROGRAMS =
  /^(?:node|npm|npx|yarn|pnpm|bun|bunx|deno|tsx|nodemon|vite|next|python[\d.]*|uvicorn|gunicorn|hypercorn|fastapi|flask|celery|alembic|streamlit|litestar|daphne|arq|dramatiq|django-admin|poetry|uv|pipenv|go|air|cargo|java|mvn|gradle|dotnet|ruby|bundle|rails|rake|puma|sidekiq|php|composer|mix|elixir|make|just|sh|bash)$/

/** Whether a command makes sense outside of its image: a known program, with files that are in the folder. */
export function runsInFolder(command: readonly string[], folder: string): boolean {
  const [program = '', ...args] = command
  if (['sh', 'bash'].includes(program) && args[0]?.endsWith('c') === true) {
    const [first = ''] = /(?<=^|\s)[^\s=]+(?=\s|$)/.exec(args[1] ?? '') ?? []
    return !/(?:^|\s)\/(?!dev\/)\w/.test(args[1] ?? '') && (PROGRAMS.test(first) || existsSync(join(folder, first)))
  }
  const isKnown = PROGRAMS.test(basename(program)) && !program.startsWith('/')
  if (!isKnown && !(program.includes('/') && !program.startsWith('/') && existsSync(join(folder, program))))
    return false
  if (args.some(arg => arg.startsWith('/') || arg.includes('*'))) return false
  if (args.some(arg => arg.startsWith('./') && !arg.includes('...') && !existsSync(join(folder, arg)))) return false
  if (program === 'java' && !args.some(arg => arg.endsWith('.jar'))) return false
  const script = args.find(arg => /\.(?:[cm]?[jt]s|py|rb|jar|dll|php|sh)$/.test(arg))
  return script === undefined || existsSync(join(folder, script))
}

/** Commands that may start a stage, or the last one: ENTRYPOINT with CMD, or with `own` in its place, and that without ENTRYPOINT. */
export function commandsOfDockerfile(
  file: string,
  {target = '', own = []}: {readonly target?: string; readonly own?: readonly string[]} = {}
): {readonly entrypoint: readonly string[]; readonly commands: readonly (readonly string[])[]} {
  const stage = stageOf(file, target)
  const last = (name: string, lines = stage): string =>
    (lines.findLast(each => new RegExp(`^${name}\\s`, 'i').test(each)) ?? '').slice(name.length).trim()
  const at = stage.findLastIndex(each => /^ENTRYPOINT\s/i.test(each))
  // the CMD of an earlier stage does not belong to an ENTRYPOINT
  const cmd = last('CMD', stage.slice(at === -1 ? 0 : stage.lastIndexOf('FROM', at)))
  const [entrypoint, words] = [wordsOf(last('ENTRYPOINT')), own.length > 0 ? own : wordsOf(cmd)]
  // a line for a shell takes no words
  return {entrypoint, commands: [/^[^[]/.test(last('ENTRYPOINT')) ? entrypoint : [...entrypoint, ...words], words]}
}

/** Returns the lines of a stage, after the lines of its base stages. */
function stageOf(file: string, target: string): readonly string[] {
  const stages = new Map<string, readonly string[]>()
  let name = ''
  const text = textAt(file).replaceAll(/^[ \t]*#.*\r?\n/gm, '')
  for (const each of text.replaceAll(/\\[ \t]*\r?\n\s*/g, ' ').split(/\r?\n/)) {
    const line = each.trim()
    const [, from = '', as] = /^FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(line) ?? []
    if (from === '') stages.set(name, [...(stages.get(name) ?? []), line])
    else {
      if (target !== '' && name === target.toLowerCase()) break
      name = (as ?? `${stages.size}`).toLowerCase()
      stages.set(name, [...(stages.get(from.toLowerCase()) ?? []), 'FROM'])
    }
  }
  return stages.get(name) ?? []
}

/** Words of a command with paths of the image as paths of the folder that it has there. */
export const withoutWorkdir = (words: readonly string[], workdir: string): readonly string[] =>
  words.map((word, at) => {
    if (at === 0 && /^\/(?:usr\/)?bin\/(?:ba)?sh$/.test(word)) return basename(word)
    return workdir !== '/' && word.startsWith(`${workdir}/`) ? word.slice(workdir.length + 1) : word
  })

/** The variables that an image gives its program, and the names of those that are built of others or name places in the image. */
export function variablesOfDockerfile(
  file: string,
  target = ''
): {readonly env: Readonly<Record<string, string>>; readonly left: readonly string[]} {
  const env = emptyRecord<string>()
  const left = new Set<string>()
  for (const line of stageOf(file, target)) {
    const [, rest = ''] = /^ENV\s+(.*)$/i.exec(line) ?? []
    const [, name = '', value = ''] = /^(\w+)\s+(.*)$/.exec(rest) ?? []
    const pairs = name === '' ? splitWords(rest).map(each => each.split(/=(.*)/s)) : [[name, value]]
    for (const [each = '', text = ''] of pairs)
      if (each === '' || IMAGE_ONLY.test(each)) continue
      else if (/^\/|:\/(?!\/)|\$/.test(text)) left.add(each)
      else env[each] = text
  }
  return {env, left: [...left].filter(name => !(name in env))}
}

const IMAGE_ONLY =
  /^(?:PATH|HOME|LANG|LC_ALL|TZ|DEBIAN_FRONTEND|TERM|CI|NODE_ENV|GO111MODULE|CGO_ENABLED|GOOS|GOARCH|VIRTUAL_ENV|.*_HOME|(?:PIP|POETRY|UV|NPM|YARN|BUNDLE|PNPM|PYTHON)_?[A-Z_]*)$/

/** The folder of the context that WORKDIR and COPY say an image starts its program in, or the context; and that in the image. */
export function startFolder(
  file: string,
  context: string,
  target = '',
  own = '.'
): {readonly folder: string; readonly workdir: string} {
  let workdir = '/'
  const copies: (readonly [source: string, place: string])[] = []
  for (const line of stageOf(file, target)) {
    const [, folder = ''] = /^WORKDIR\s+["']?([^"'\s]+)/i.exec(line) ?? []
    if (folder !== '') workdir = resolve(workdir, folder)
    const [, words = ''] = /^(?:COPY|ADD)\s+(?:--chown=\S+\s+|--link\s+)*([^-[\s].*)$/i.exec(line) ?? []
    const [source = '', place = '', ...more] = words.split(/\s+/)
    if (place !== '' && more.length === 0) copies.push([source, resolve(workdir, place)])
  }
  workdir = resolve(workdir, own)
  const folders = copies.toReversed().flatMap(([source, place]) => {
    const from = join(context, source)
    if (isInside(workdir, place)) return [join(from, relative(place, workdir))]
    const below = relative(workdir, place)
    return isInside(place, workdir) && from.endsWith(`/${below}`) ? [from.slice(0, -below.length - 1)] : []
  })
  // an image of which parts are copied may keep the folders of its context: `/app/packages/db`
  const parts = workdir.split('/').slice(2)
  const below = parts.slice(0, -1).map((_, at) => join(context, ...parts.slice(at)))
  const found = [...folders, ...below].find(each => isInside(each, context) && isFolder(each))
  return {folder: found === undefined ? context : join(found, '.').replace(/\/$/, ''), workdir}
}

function wordsOf(text: string): readonly string[] {
  if (!text.startsWith('[')) return commandOf(text)
  const words = jsonIn(text)
  return Array.isArray(words) ? words.map(String) : []
}

/** Returns the port that an image names; 0: none, or the port of a web server for built files. */
export const portOfDockerfile = (file: string): number =>
  IN_FRONT.test(textAt(file)) ? 0 : Number(/^[ \t]*EXPOSE[ \t]+(\d+)/im.exec(textAt(file))?.[1] ?? 0)
const IN_FRONT = /^[ \t]*(?:FROM|CMD|ENTRYPOINT)\b.*(?:nginx|httpd|caddy|-apache)/im
