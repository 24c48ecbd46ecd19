import type {Clock} from '../platform/clock.ts'
import {WriteFault, type WorkFile} from './work-file.ts'

/** Pause before a change is tried again, in ms. */
export const RETRY_MS = 1000

interface Kept {
  readonly file: WorkFile
  readonly clock: Clock
}

/** Makes a change that no caller would repeat: tries it again each second while the file cannot be written. */
export async function keep<T>({file, clock}: Kept, work: () => T): Promise<T> {
  for (;;) {
    try {
      return await file.change(work)
    } catch (error) {
      if (!(error instanceof WriteFault)) throw error
      await new Promise<void>(resolve => void clock.after(RETRY_MS, resolve))
    }
  }
}
