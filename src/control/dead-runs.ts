import {readdir, rm} from 'node:fs/promises'
import {connect} from 'node:net'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {codeOf} from '../model/errors.ts'
import {readRunFile, readSpared, type RunFile} from './run-file.ts'
import {existingFolders, runtimeFolders} from './folder.ts'

/** A run that was killed. */
export interface DeadRun extends RunFile {
  /** Values of `PILLION_LIFE`: what carries one of these is to live on. */
  readonly spared: readonly string[]
  /** Takes away what is left of its folder. */
  readonly forget: () => Promise<void>
}

/** A run that is just about to listen refuses, too: two refusals are so far apart. */
const BETWEEN_REFUSALS_MS = 1000

/**
 * All runs of the user that are surely dead: their sockets have refused twice, a second apart, and they ran on this boot and
 * in this pid namespace. Takes no time when there is none.
 */
export async function findDead(env: Readonly<Record<string, string | undefined>>): Promise<readonly DeadRun[]> {
  const homes: string[] = []
  for (const folder of existingFolders(runtimeFolders(env), () => undefined)) {
    for (const name of await readdir(folder)) homes.push(join(folder, name))
  }
  const suspects = await refusing(homes.filter(home => readRunFile(home) !== undefined))
  if (suspects.length === 0) return []
  await pause(BETWEEN_REFUSALS_MS)
  return (await refusing(suspects)).flatMap(home => {
    const about = readRunFile(home) // its watchdog may have tidied up meanwhile
    const forget = async (): Promise<void> => rm(home, {recursive: true, force: true})
    return about === undefined ? [] : [{...about, spared: readSpared(home), forget}]
  })
}

async function refusing(homes: readonly string[]): Promise<readonly string[]> {
  const answers = await Promise.all(homes.map(refuses))
  return homes.filter((_, index) => answers[index])
}

/** A run that was killed before its socket got its name refuses at the first one. */
async function refuses(home: string): Promise<boolean> {
  for (const name of ['socket', 'new']) {
    const fault = await faultOf(join(home, name))
    if (fault !== 'ENOENT') return fault === 'ECONNREFUSED'
  }
  return false
}

/** What hinders a connection; '' where nothing does. */
const faultOf = async (path: string): Promise<string> =>
  new Promise(resolve => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve('')
    })
    socket.once('error', error => resolve(codeOf(error)))
  })
