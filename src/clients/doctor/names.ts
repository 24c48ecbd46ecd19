import {existsSync} from 'node:fs'
import {lookup} from 'node:dns/promises'
import {livingRuns} from '../../control/living-runs.ts'
import {schemeOf} from '../../model/app-name.ts'
import type {Environment} from '../../model/environment.ts'
import {isLoopback} from '../../model/address.ts'
import {orElse} from '../../model/or-else.ts'
import {certificatePath, stateFolder} from '../../platform/state-folder.ts'
import {note, ok, type Check} from './check.ts'

/** A name as an app could have it. */
const ANY_NAME = 'pillion-doctor.localhost'

/** Whether programs find apps by their names, and whether browsers trust these. */
export async function checkResolution(env: Environment): Promise<readonly Check[]> {
  const isTrusted = existsSync(certificatePath(stateFolder(env)))
  // another check reports a folder of runs that is not ours
  const all = orElse(() => livingRuns(env), []).flatMap(({names = {}}) => Object.keys(names))
  const own = all.filter(name => !name.endsWith('.localhost'))
  const unfound = await Promise.all(own.map(async name => ((await leadsHere(name)) ? [] : [name])))
  const plain = isTrusted ? own.filter(name => schemeOf(name, true) === 'http') : []
  return [
    (await leadsHere(ANY_NAME))
      ? ok('names of apps (NAME.localhost) resolve in programs of this machine')
      : note(
          'names of apps (NAME.localhost) resolve in browsers, not in programs of this machine',
          'Programs call apps at localhost: pillion url APP. Safari needs a line of /etc/hosts for each name.'
        ),
    ...unfound
      .flat()
      .map(name => note(`${name} does not lead to this machine`, `Add a line to /etc/hosts: 127.0.0.1 ${name}`)),
    isTrusted
      ? ok('names answer with HTTPS as well; trust --remove takes the authority back')
      : note('names answer with plain HTTP', 'pillion trust lets browsers trust HTTPS.'),
    ...plain.map(name => note(`${name} answers with plain HTTP`, 'The authority signs names below localhost and test.'))
  ]
}

async function leadsHere(name: string): Promise<boolean> {
  const found = await lookup(name).catch(() => undefined)
  return found !== undefined && isLoopback(found.address)
}
