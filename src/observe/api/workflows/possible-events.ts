import {readdir, readFile, stat} from 'node:fs/promises'
import {join} from 'node:path'
import type {Instance} from '../../../work/workflow/instance.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import {timelineOf} from '../../../work/workflow/timeline.ts'

/** Instances of the same workflow that are looked at. */
const MAX_INSTANCES = 30
const MAX_FILES = 400
/** An app may be run in a folder that has all of a user's. */
const MAX_FOLDERS = 1000
const MAX_BYTES = 256 * 1024
/** How long the names found in an app's code are cached. */
const KEPT_MS = 10_000

const CODE = /\.(?:[cm]?[jt]sx?|py|go|java|kt|cs)$/
const NOT_OWN = new Set(['node_modules', 'dist', 'build', 'target', 'bin', 'obj', 'venv', '__pycache__'])
/** How Dapr's SDKs wait for an event: `waitForExternalEvent('approve')`, `wait_for_external_event("approve")`, `WaitForExternalEventAsync<bool>("approve")`. */
const WAITS =
  /wait_?for_?(?:external_?|single_?)?event(?:async)?\s*(?:<[^()]*>)?\(\s*(?:name\s*=\s*)?["'`]([\w .:/-]+)["'`]/gi

/**
 * The names of events that an instance may be waiting for: names that others of its workflow got, and names in the code of its app. With some SDKs its history lacks the name. `folder`: of the app; undefined: it is none of the run.
 */
export async function possibleEvents(
  workflows: Workflows,
  instance: Instance,
  folder: string | undefined
): Promise<readonly string[]> {
  const others = workflows.search({app: instance.app, name: instance.name}, MAX_INSTANCES)
  const got = others
    .filter(({name}) => name === instance.name)
    .flatMap(other => timelineOf(workflows.events(other), other.app))
    .flatMap(({kind, name}) => (kind === 'event' ? [name] : []))
  return [...new Set([...got, ...(folder === undefined ? [] : await namesInCode(folder))])].filter(name => name !== '')
}

const known = new Map<string, {readonly at: number; readonly names: Promise<readonly string[]>}>()

async function namesInCode(folder: string): Promise<readonly string[]> {
  const before = known.get(folder)
  if (before !== undefined && performance.now() - before.at < KEPT_MS) return before.names
  const names = readNames(folder)
  known.set(folder, {at: performance.now(), names})
  return names
}

/** Reads the names of events in a folder; none if it cannot be read. */
async function readNames(folder: string): Promise<readonly string[]> {
  const found = new Set<string>()
  const folders = [folder]
  let files = 0
  // those near the top first
  for (const [looked, at] of folders.entries()) {
    if (files >= MAX_FILES || looked === MAX_FOLDERS) break
    const entries = await readdir(at, {withFileTypes: true}).catch(() => [])
    for (const entry of entries) {
      const path = join(at, entry.name)
      if (entry.isDirectory() && !entry.name.startsWith('.') && !NOT_OWN.has(entry.name)) folders.push(path)
      if (!entry.isFile() || !CODE.test(entry.name) || files++ >= MAX_FILES) continue
      const {size} = await stat(path).catch(() => ({size: Infinity}))
      const text = size > MAX_BYTES ? '' : await readFile(path, 'utf8').catch(() => '')
      for (const [, name = ''] of text.matchAll(WAITS)) found.add(name)
    }
  }
  return [...found]
}
