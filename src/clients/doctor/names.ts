import {existsSync} from 'node:fs'
import {lookup} from 'node:dns/promises'
import type {Environment} from '../../model/environment.ts'
import {isLoopback} from '../../model/address.ts'
import {certificatePath, stateFolder} from '../../platform/state-folder.ts'
import {note, ok, type Check} from './check.ts'

/** A name as an app could have it. */
const ANY_NAME = 'pillion-doctor.localhost'

/** Whether programs find apps by their names, and whether browsers trust these. */
export async function checkResolution(env: Environment): Promise<readonly Check[]> {
  const found = await lookup(ANY_NAME).catch(() => undefined)
  const resolves = found !== undefined && isLoopback(found.address)
  const isTrusted = existsSync(certificatePath(stateFolder(env)))
  return [
    resolves
      ? ok('names of apps (NAME.localhost) resolve in programs of this machine')
      : note(
          'names of apps (NAME.localhost) resolve in browsers, not in programs of this machine',
          'Programs call apps at localhost: pillion url APP. Safari needs a line of /etc/hosts for each name.'
        ),
    isTrusted
      ? ok('names answer with HTTPS as well; trust --remove takes the authority back')
      : note('names answer with plain HTTP', 'pillion trust lets browsers trust HTTPS.')
  ]
}
