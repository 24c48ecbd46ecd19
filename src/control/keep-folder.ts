import {readdirSync, utimesSync} from 'node:fs'
import {join} from 'node:path'
import type {Clock} from '../platform/clock.ts'

/** Systems remove from /tmp what has not been touched for days: macOS after three, systemd-tmpfiles(8) after ten. */
const TOUCH_EVERY_MS = 12 * 60 * 60 * 1000

/** Touches the folder of a run and its files now and then, so that no cleaner of temporary files removes them; the returned function ends that. */
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
