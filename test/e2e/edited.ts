import type * as Api from '../../src/model/api.generated.ts'
import type {Test} from 'tap'
import type {Driven} from '../rig/command.ts'
import {ask, controlSocket} from '../rig/control-socket.ts'
import type {Rig, TemplateApp} from '../rig/rig.ts'
import {environmentOf, tracesCarrying} from '../rig/traces.ts'

/** The processes of the apps that live: `id pid`, sorted. */
export function living(rig: Rig): readonly string[] {
  const named = tracesCarrying(rig.marker).flatMap(({pid}) => {
    const id = environmentOf(pid).find(each => each.startsWith('APP_ID='))
    return id === undefined ? [] : [`${id.slice('APP_ID='.length)} ${pid}`]
  })
  return named.toSorted()
}

export async function idle(rig: Rig): Promise<Api.Waited> {
  const body = JSON.stringify({for: ['idle:150ms'], timeout: '30s'})
  return (await ask(controlSocket(rig), '/api/v1/wait', {method: 'POST', body})).json as Api.Waited
}

/** A run whose template is edited again and again. Each edit changes `mark`, so that the test knows when it was read. */
class Edited {
  readonly run: ReturnType<Rig['pillion']>
  readonly #t: Test
  readonly #rig: Rig
  readonly #lives = new Map<string, Driven>()
  #edits = 0

  constructor(t: Test, rig: Rig) {
    this.#t = t
    this.#rig = rig
    this.run = rig.pillion(['run', '-f', '.', '--watch'])
  }

  /** Saves the template. Exactly these apps start, these have gone, and all others keep their processes. */
  async edit(
    what: string,
    apps: readonly TemplateApp[],
    {starts = [], gone = [], common}: {starts?: readonly string[]; gone?: readonly string[]; common?: object} = {}
  ): Promise<void> {
    await template(this.#rig, ++this.#edits, apps, common)
    await this.settled(what, {starts: [...starts, 'mark'], gone})
  }

  async settled(
    what: string,
    {starts = [], gone = []}: {starts?: readonly string[]; gone?: readonly string[]}
  ): Promise<void> {
    for (const id of gone) this.#lives.delete(id)
    await Promise.all(starts.map(async id => this.#lives.set(id, await this.#rig.driven(id))))
    this.#t.match(await idle(this.#rig), {outcome: 'met'}, what)
    const expected = [...this.#lives].map(([id, {pid}]) => `${id} ${pid}`).toSorted()
    this.#t.same(living(this.#rig), expected, what)
  }

  /** The variable of the process that lives. */
  word(id: string): string | undefined {
    return this.#lives.get(id)?.env['WORD']
  }

  life(id: string): Driven | undefined {
    return this.#lives.get(id)
  }
}

export const template = async (rig: Rig, edit: number, apps: readonly TemplateApp[], common?: object): Promise<void> =>
  rig.template([...apps, {appID: 'mark', env: {EDIT: edit.toString()}}], {...common})

/** A run of these apps, once all of them have started. */
export async function edited(t: Test, rig: Rig, apps: readonly TemplateApp[]): Promise<Edited> {
  await template(rig, 0, apps)
  const run = new Edited(t, rig)
  await run.run.waitForLine('Writing log files', {nth: apps.length + 1})
  await run.settled('the start', {starts: [...apps.map(({appID}) => appID), 'mark']})
  return run
}

export const app = (appID: string, word: string, more: object = {}): TemplateApp => ({
  appID,
  env: {WORD: word},
  ...more
})
