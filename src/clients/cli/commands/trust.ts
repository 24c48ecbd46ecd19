import {homedir} from 'node:os'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import {runLines} from '../../../platform/run-lines.ts'
import {certificatePath, stateFolder} from '../../../platform/state-folder.ts'
import {
  hasAuthority,
  openAuthority,
  readAdded,
  removeAuthority,
  trustStores,
  writeAdded,
  type Added,
  type Commands
} from '#trust'
import type {CommandContext, CommandHandler} from '../command-handler.ts'
import {confirm} from '../input.ts'
import {say} from '../say.ts'

/**
 * `trust`: makes the certificate authority of this user, and adds it to the trust stores of the system and of browsers. `--remove` deletes
 * the authority, and removes it from these stores. Asks first. Exits with 1 if a store could not be changed.
 */
export const trust: CommandHandler = async context => {
  const state = stateFolder(process.env)
  return context.flags.isSet('remove') ? remove(context, state) : add(context, state)
}

async function add(context: CommandContext, state: string): Promise<number> {
  const stores = trustStores({env: process.env, home: homedir(), state, platform: process.platform})
  const names = stores.flatMap(({name, lacks}) => (lacks === '' ? name : []))
  const to = names.length === 0 ? 'make your own certificate authority' : 'add your own certificate authority to: '
  await agreed(context, `make names answer with HTTPS, and ${to}${names.join(', ')}`)
  const {certificate, name} = openAuthority(state)
  let all = readAdded(state)
  let isDone = true
  for (const store of stores) {
    const isAdded = await change(context, store, store.add(certificate), `${store.name} trusts ${name}`)
    isDone &&= isAdded
    if (!isAdded) continue
    all = [...all.filter(each => each.name !== store.name), {...store, remove: store.remove(certificate)}]
    writeAdded(state, all)
  }
  if (stores.length === 0) {
    const byHand = `import ${certificatePath(state)} as an authority in the settings of your browser`
    const text = `no trust store was found: ${byHand}, or install ca-certificates and run this again`
    say(process.stderr, 'warning', text, context.asJson)
  }
  say(process.stdout, 'info', `For other programs: NODE_EXTRA_CA_CERTS=${certificatePath(state)}`, context.asJson)
  return isDone ? 0 : 1
}

async function remove(context: CommandContext, state: string): Promise<number> {
  const all = readAdded(state)
  if (all.length === 0 && !hasAuthority(state)) {
    say(process.stdout, 'info', 'There is nothing to remove', context.asJson)
    return 0
  }
  const names = all.map(({name}) => name)
  const from = names.length === 0 ? '' : `, and remove it from: ${names.join(', ')}`
  await agreed(context, `delete your certificate authority${from}`)
  const left: Added[] = []
  for (const each of all)
    if (!(await change(context, each, each.remove, `${each.name} no longer has the authority`))) left.push(each)
  writeAdded(state, left)
  removeAuthority(state)
  return left.length === 0 ? 0 : 1
}

/** Changes a store. Resolves with false, after a warning with the commands to type, if that is not possible. */
async function change(
  {asJson}: CommandContext,
  {name, needsRoot, lacks = ''}: Pick<Added, 'name' | 'needsRoot'> & {readonly lacks?: string},
  commands: Commands,
  done: string
): Promise<boolean> {
  const byHand = commands
    .map(words => [...(needsRoot ? ['sudo'] : []), ...words].map(shellQuoted).join(' '))
    .join(' && ')
  const isForbidden = needsRoot && process.getuid?.() !== 0
  if (lacks !== '' || isForbidden) {
    const why = isForbidden ? `, since only root may: ${byHand}` : `: it needs ${lacks}`
    say(process.stderr, 'warning', `${name} was not changed${why}`, asJson)
    return false
  }
  for (const command of commands) {
    const {why, last} = await runLines(command, {folder: '/'})
    if (why === '') continue
    say(process.stderr, 'warning', `${name} was not changed: ${last || why}. By hand: ${byHand}`, asJson)
    return false
  }
  say(process.stdout, 'success', done, asJson)
  return true
}

async function agreed({flags, asJson}: CommandContext, what: string): Promise<void> {
  if (flags.isSet('yes')) say(process.stderr, 'info', `this will ${what}`, asJson)
  await confirm(what, flags.isSet('yes'))
}
