import {readdirSync, statSync} from 'node:fs'
import {dirname, extname, join, relative, sep} from 'node:path'
import type {AppPlan, Plan} from '../../model/plan.ts'
import {orElse} from '../../model/or-else.ts'
import {readTextFile} from '../../model/read-file.ts'

/** A port of the template in a file that a program reads. A copy of the run has another port, but cannot change the file. */
interface NumberInFile {
  /** Relative to the folder of the template, `db/pg.sh:2`. */
  readonly place: string
  readonly port: number
}

const READ =
  /\.(?:[cm]?[jt]sx?|py|go|java|kt|rb|php|rs|cs|ex|exs|sh|bash|json|ya?ml|toml|ini|conf|cfg|properties|xml)$|^(?:Procfile|Makefile)$/
const SKIPPED =
  /^(?:\..*|node_modules|dist|build|out|target|vendor|venv|__pycache__|data|docs?|tests?|spec|.*lock.*\.(?:json|yaml)|docker-compose.*|compose\.ya?ml|.*\.(?:test|spec)\.\w+)$/i
const MAX_FILES = 300
const MAX_BYTES = 128 * 1024
const MAX_MS = 300

const HOST = String.raw`(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[?::1?\]?)`
/** A number where a port is expected: behind a host of this machine, a word with port, a flag, or in `listen(3000)`. */
const AT = new RegExp(
  String.raw`(?:${HOST}["']?\s*[:,]\s*|port\w{0,40}["']?\s*(?:[:=,(]\s*)?["']?|(?:^|\s)-p\s*|listen\(\s*["':]*)(\d{2,5})(?![\w.])`,
  'gi'
)
/** The number is a default for a variable, or is in a comment. */
const IS_DEFAULT = /env|\$\{?\w*PORT|^\s*(?:#|\/\/|\*)/i

/** Finds numbers in the apps' files that this copy replaces, by a search of at most `maxMs` milliseconds. */
export function numbersInFiles(plan: Plan, ports: ReadonlySet<number>, maxMs = MAX_MS): readonly NumberInFile[] {
  const found: NumberInFile[] = []
  const ends = performance.now() + maxMs
  const root = dirname(plan.file)
  const resources = new Set(plan.apps.flatMap(({resources: {folders, configFile}}) => [...folders, configFile]))
  const seen = new Set<string>([plan.file, ...(plan.overlays ?? []), ...resources])
  const apps = Map.groupBy(plan.apps, ({folder}) => folder)
  let left = MAX_FILES
  for (const [folder, own] of apps) {
    const moved = new Set([...ports].filter(port => !own.some(app => isMovedInCode(app, port))))
    for (const path of filesIn(folder, ends)) {
      if (left === 0) return found
      if (seen.has(path) || seen.has(dirname(path))) continue
      seen.add(path)
      left--
      for (const {line, port} of linesWith(path, moved))
        found.push({place: `${relative(root, path).split(sep).join('/')}:${line}`, port})
    }
  }
  return found
}

/** Whether Pillion moves the bind of a program that has this number in its code. */
const isMovedInCode = ({published, fixedPort}: AppPlan, port: number): boolean =>
  published?.inCode === port || published?.number === port || fixedPort === port

/** Walks a folder downwards, its own files first, until this time of `performance.now`. */
function* filesIn(folder: string, ends: number): Generator<string> {
  const folders = [folder]
  for (const each of folders) {
    for (const entry of entriesOf(each)) {
      if (performance.now() > ends) return
      if (SKIPPED.test(entry.name)) continue
      const path = join(each, entry.name)
      if (entry.isDirectory()) folders.push(path)
      else if (entry.isFile() && READ.test(extname(path) === '' ? entry.name : path)) yield path
    }
  }
}

const entriesOf = (folder: string) => orElse(() => readdirSync(folder, {withFileTypes: true}), [])

function linesWith(
  path: string,
  ports: ReadonlySet<number>
): readonly {readonly line: number; readonly port: number}[] {
  try {
    if (statSync(path).size > MAX_BYTES) return []
    return readTextFile(path)
      .split('\n')
      .flatMap((text, at) => {
        if (IS_DEFAULT.test(text)) return []
        const port = [...text.matchAll(AT)].map(([, number]) => Number(number)).find(each => ports.has(each))
        return port === undefined ? [] : [{line: at + 1, port}]
      })
  } catch {
    return [] // we have no permission to read it
  }
}
