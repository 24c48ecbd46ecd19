import {appendFileSync, readFileSync, readlinkSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'

/** What others must know of a run should it be killed; it stands beside its socket. */
export interface RunFile {
  /** 128 random bits, hex: the mark of everything that belongs to the run. */
  readonly marker: string
  /** From SIGTERM to SIGKILL for what it leaves behind. */
  readonly graceMs: number
}

const FILE = 'about'
const SPARED = 'spared'

export const writeRunFile = async (home: string, {marker, graceMs}: RunFile): Promise<void> =>
  writeFile(join(home, FILE), JSON.stringify({marker, graceMs, ...whereWeAre()}))

/** Undefined for a run whose processes we would not see: of an earlier boot, of another machine or pid namespace. */
export function readRunFile(home: string): RunFile | undefined {
  try {
    const {marker, graceMs, ...where} = JSON.parse(readFileSync(join(home, FILE), 'utf8')) as RunFile & Where
    const here = whereWeAre()
    const isHere = where.boot === here.boot && where.pids === here.pids
    return isHere && /^[0-9a-f]{32}$/.test(marker) ? {marker, graceMs} : undefined
  } catch {
    return undefined // half written, or of another version: not certain, so it is left alone
  }
}

/** Notes that what leaves the group of this life (the value of `PILLION_LIFE`) is to live on. */
export const noteSpared = (home: string, marker: string): void => appendFileSync(join(home, SPARED), `${marker}\n`)

export function readSpared(home: string): readonly string[] {
  try {
    return readFileSync(join(home, SPARED), 'utf8').split('\n').filter(Boolean)
  } catch {
    return [] // there are none
  }
}

/** Where a number of a process means something. */
export interface Where {
  readonly boot: string
  readonly pids: string
}

/** The running system and the pid namespace (random(4), namespaces(7)). On macOS there is one of each as far as we can tell. */
export function whereWeAre(): Where {
  if (process.platform !== 'linux') return {boot: process.platform, pids: process.platform}
  return {
    boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    pids: readlinkSync('/proc/self/ns/pid')
  }
}
