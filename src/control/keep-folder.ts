import {existsSync, utimesSync} from 'node:fs'
import {join} from 'node:path'
import {orElse} from '../model/or-else.ts'
import type {Clock} from '../platform/clock.ts'
import {namesInFolder} from '../platform/paths.ts'

/** Systems remove from /tmp what has not been touched for days: macOS after three, systemd-tmpfiles(8) after ten. */
const TOUCH_EVERY_MS = 12 * 60 * 60 * 1000
/** Timers pause while the machine sleeps. The date goes on, and is read this often. */
const LOOK_EVERY_MS = 60_000

/**
 * Touches the folder of a run and its files now and then, so that no cleaner of temporary files removes them; the returned function ends that.
 * `lost` is called if the socket is not there all the same.
 */
export function keepFolder(folder: string, clock: Clock, lost: () => void): () => void {
  let callOff: () => void
  let touchedAt = clock.date()
  const wait = (): void => {
    callOff = clock.after(LOOK_EVERY_MS, () => {
      wait()
      if (!existsSync(join(folder, 'socket'))) return lost()
      if (Math.abs(clock.date() - touchedAt) < TOUCH_EVERY_MS) return
      touchedAt = clock.date()
      touch(folder)
    })
  }
  wait()
  return () => callOff()
}

function touch(folder: string): void {
  const now = new Date()
  // what is gone meanwhile is left out
  for (const path of ['', ...namesInFolder(folder)]) orElse(() => utimesSync(join(folder, path), now, now), undefined)
}
