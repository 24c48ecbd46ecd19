import {rmSync} from 'node:fs'
import {createInterface} from 'node:readline/promises'
import {endRun, findRuns} from '../../../../control/client.ts'
import type {KnownCopy} from '../../../../control/known-copies.ts'
import {UserError} from '../../../../model/errors.ts'
import type {CommandContext, CommandHandler} from '../../command-handler.ts'
import {say} from '../../say.ts'
import {UsageError} from '../../usage-error.ts'
import {copiesOf} from './list.ts'
import {remainsOf} from './remains.ts'

/** `copies down NAME …` or `--all`: ends the runs of copies of the folder's template. */
export const downCopies: CommandHandler = async ({flags, words, asJson}) => {
  const copies = copiesOf(flags)
  const meant = flags.isSet('all') ? copies : named(copies, words)
  if (!flags.isSet('all') && words.length === 0) throw new UsageError('which copy? pillion copies down NAME, or --all')
  const running = meant.filter(({run}) => run !== undefined)
  if (running.length === 0) {
    say(process.stdout, 'info', 'There is nothing to stop: no such copy is running', asJson)
    return 0
  }
  const runs = await findRuns(process.env)
  await Promise.all(
    running.map(async ({name, run}) => {
      const found = runs.find(({listing}) => listing.pid === run?.pid)
      if (found === undefined) return say(process.stderr, 'warning', `${name} does not respond`, asJson)
      await endRun(found, pid => say(process.stderr, 'warning', `the run with pid ${pid} is still stopping`, asJson))
      say(process.stdout, 'success', `${name} was stopped`, asJson)
    })
  )
  return 0
}

/** `copies forget NAME … [--yes]`: removes what copies have left (`remainsOf`). Asks first. */
export const forgetCopies: CommandHandler = async context => {
  const {flags, words, asJson} = context
  if (words.length === 0) throw new UsageError('which copy? pillion copies forget NAME')
  for (const copy of named(copiesOf(flags), words)) {
    const {name, run} = copy
    if (run !== undefined)
      throw new UserError(`${name} is running (pid ${run.pid})`, {
        explanation: `Stop it first: pillion copies down ${name}`
      })
    const remains = remainsOf(process.env, copy)
    if (remains.length === 0) {
      say(process.stdout, 'info', `${name} has nothing to forget`, asJson)
      continue
    }
    await confirm(context, `remove what ${name} keeps: ${remains.join(', ')}`)
    for (const path of remains) rmSync(path, {recursive: true, force: true})
    say(process.stdout, 'success', `${name} is forgotten`, asJson)
  }
  return 0
}

function named(copies: readonly KnownCopy[], names: readonly string[]): readonly KnownCopy[] {
  return names.map(name => {
    const [found, other] = copies.filter(each => each.name === name)
    if (found === undefined)
      throw new UserError(`no copy is called ${name}`, {
        explanation: `The copies are: ${[...new Set(copies.map(each => each.name))].join(', ')}`
      })
    if (other !== undefined)
      throw new UserError(`two copies are called ${name}`, {explanation: `${found.folder}\n${other.folder}`})
    return found
  })
}

/** Throws a UserError for a no, and without a person who could answer. */
async function confirm({flags}: CommandContext, what: string): Promise<void> {
  if (flags.isSet('yes')) return
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new UserError(`this would ${what}`, {explanation: 'Add --yes if you mean it.'})
  const asker = createInterface({input: process.stdin, output: process.stdout})
  try {
    const answer = await asker.question(`This will ${what}. Continue? [y/N] `)
    if (!/^y(es)?$/i.test(answer.trim())) throw new UserError('nothing was done')
  } finally {
    asker.close()
  }
}
