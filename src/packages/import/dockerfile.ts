import {existsSync} from 'node:fs'
import {basename, join} from 'node:path'
import {readTextFile} from '../../model/read-file.ts'
import {commandOf} from './shell-words.ts'

/** Programs that a machine of a developer has, too. */
const PROGRAMS =
  /^(?:node|npm|npx|yarn|pnpm|bun|bunx|deno|tsx|nodemon|vite|next|python[\d.]*|uvicorn|gunicorn|hypercorn|fastapi|flask|celery|django-admin|poetry|uv|pipenv|go|air|cargo|java|mvn|gradle|dotnet|ruby|bundle|rails|rake|puma|sidekiq|php|composer|mix|elixir|make|just|sh|bash)$/

/** Whether a command makes sense outside of its image: a known program, with files that are in the folder. */
export function runsInFolder(command: readonly string[], folder: string): boolean {
  const [program = '', ...args] = command
  if (['sh', 'bash'].includes(program) && args[0]?.endsWith('c') === true) {
    const first =
      args[1]
        ?.trim()
        .split(/\s+/)
        .find(word => !word.includes('=')) ?? ''
    return !/(?:^|\s)\/(?!dev\/)\w/.test(args[1] ?? '') && (PROGRAMS.test(first) || existsSync(join(folder, first)))
  }
  const isKnown = PROGRAMS.test(basename(program)) && !program.startsWith('/')
  if (!isKnown && !(program.includes('/') && !program.startsWith('/') && existsSync(join(folder, program))))
    return false
  if (args.some(arg => arg.startsWith('/') || arg.includes('*'))) return false
  if (program === 'java' && !args.some(arg => arg.endsWith('.jar'))) return false
  const script = args.find(arg => /\.(?:[cm]?[jt]s|py|rb|jar|dll|php|sh)$/.test(arg))
  return script === undefined || existsSync(join(folder, script))
}

/** What an image starts by default: the ENTRYPOINT and the CMD of its last stage; empty where the file does not say. */
export function commandOfDockerfile(file: string): {
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
} {
  let text: string
  try {
    text = readTextFile(file)
  } catch {
    return {entrypoint: [], cmd: []} // there is none
  }
  const lines = text.replaceAll(/\\\r?\n/g, ' ').split(/\r?\n/)
  const stage = lines.slice(
    Math.max(
      0,
      lines.findLastIndex(line => /^\s*FROM\s/i.test(line))
    )
  )
  const last = (name: string): readonly string[] => {
    const line = stage.findLast(each => new RegExp(`^\\s*${name}\\s`, 'i').test(each)) ?? ''
    return wordsOf(line.trim().slice(name.length).trim())
  }
  return {entrypoint: last('ENTRYPOINT'), cmd: last('CMD')}
}

function wordsOf(text: string): readonly string[] {
  if (!text.startsWith('[')) return commandOf(text)
  try {
    const words: unknown = JSON.parse(text)
    return Array.isArray(words) ? words.map(String) : []
  } catch {
    return []
  }
}

/** The port that an image says it listens on; 0: none. */
export function portOfDockerfile(file: string): number {
  try {
    return Number(/^\s*EXPOSE\s+(\d+)/im.exec(readTextFile(file))?.[1] ?? 0)
  } catch {
    return 0
  }
}
