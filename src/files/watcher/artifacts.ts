import {open, stat} from 'node:fs/promises'
import {pause} from '../../platform/delay.ts'

/** Files that build tools write more than once: Maven packs a jar, and Spring Boot packs it again. */
const ARTIFACT = /\.(?:jar|war|ear|dll|so|wasm)$/
/** An artifact is complete after this time without a write, in ms. */
const ARTIFACT_REST_MS = 700
/** Size from which a file may take several writes, in bytes. */
const LARGE = 2 ** 20
/** Time without a write after which such a file is complete, in ms. */
const LARGE_REST_MS = 300
const ZIP = /\.[jwe]ar$/
/** Record at the end of a zip file (APPNOTE.TXT 4.3.16), and the number of last bytes to search: the comment of a jar is short. */
const END_OF_ZIP = 'PK\x05\x06'
const WITHIN = 1024
/** Maximum time that a file under writing delays the others, in ms. */
const MAX_MS = 10_000

/** Returns the time in ms until a file is probably complete: 0 if it is, or is missing. */
async function restOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile() !== true) return 0
  const restMs = ARTIFACT.test(path) ? ARTIFACT_REST_MS : found.size >= LARGE ? LARGE_REST_MS : 0
  const ageMs = Date.now() - found.mtimeMs
  if (ageMs >= 0 && ageMs < restMs) return restMs - ageMs
  return ZIP.test(path) && !(await endsAsZip(path, found.size)) ? LARGE_REST_MS : 0
}

/** Whether the end of a zip file is written; on a busy machine Maven pauses for longer than any rest. */
async function endsAsZip(path: string, size: number): Promise<boolean> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return true
  try {
    const {buffer} = await file.read(Buffer.alloc(WITHIN), 0, WITHIN, Math.max(0, size - WITHIN))
    return buffer.includes(END_OF_ZIP)
  } finally {
    await file.close()
  }
}

/** Waits until no artifact or large file among these is being written; at most ten seconds, or until the signal is aborted. */
export async function artifactsWritten(paths: readonly string[], signal: AbortSignal): Promise<void> {
  const until = performance.now() + MAX_MS
  while (!signal.aborted && performance.now() < until) {
    const restMs = Math.max(0, ...(await Promise.all(paths.map(restOf))))
    if (restMs === 0) return
    await pause(Math.ceil(restMs), signal)
  }
}
