import {readdirSync, utimesSync} from 'node:fs'
import {join} from 'node:path'
import type {Clock} from '../platform/clock.ts'

/** Systems remove from /tmp what has not been touched for days: macOS after three, systemd-tmpfiles(8) after ten. */
const TOUCH_EVERY_MS = 12 * 60 * 60 * 1000

/** Keeps the folder of a run and the files in it as new as the run is old; the result ends it. */
export function keepFolder(folder: string, clock: Clock): () => void {
  let callOff: () => void
  const wait = (): void => {
    callOff = clock.after(TOUCH_EVERY_MS, () => {
      touch(folder)
      wait()
    })
  }
  wait()
  return () => callOff()
}

function touch(folder: string): void {
  const now = new Date()
  try {
    for (const path of [folder, ...readdirSync(folder).map(name => join(folder, name))]) utimesSync(path, now, now)
  } catch {
    // it is gone: the run ends, or another program has removed it
  }
}
