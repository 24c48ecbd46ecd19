import {appendFileSync, readFileSync, readlinkSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'

/** What others must know of a run should it be killed; it stands beside its socket. */
export interface About {
  /** 128 random bits, hex: the mark of everything that belongs to the run. */
  readonly mark: string
  /** From SIGTERM to SIGKILL for what it leaves behind. */
  readonly graceMs: number
}

const FILE = 'about'
const SPARED = 'spared'

export const writeAbout = async (home: string, {mark, graceMs}: About): Promise<void> =>
  writeFile(join(home, FILE), JSON.stringify({mark, graceMs, ...whereWeAre()}))

/** Undefined for a run whose processes we would not see: of an earlier boot, of another machine or pid namespace. */
export function readAbout(home: string): About | undefined {
  try {
    const {mark, graceMs, ...where} = JSON.parse(readFileSync(join(home, FILE), 'utf8')) as About & Where
    const here = whereWeAre()
    const isHere = where.boot === here.boot && where.pids === here.pids
    return isHere && /^[0-9a-f]{32}$/.test(mark) ? {mark, graceMs} : undefined
  } catch {
    return undefined // half written, or of another version: not certain, so it is left alone
  }
}

/** Notes that what leaves the group of this life (the value of `PILLION_LIFE`) is to live on. */
export const noteSpared = (home: string, life: string): void => appendFileSync(join(home, SPARED), `${life}\n`)

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
