import type * as Api from '../model/api.generated.ts'
import {endOf} from '../model/exit-text.ts'
import {Masking} from '../telemetry/recorder/masking.ts'
import type {RunFacts} from './run-facts.ts'
import {appsNamed, type AppName} from './apps.ts'
import {withoutPasswords} from './masked-template.ts'
import {ApiProblem} from './problem.ts'

const DETAILS = ['environment', 'deaths'] as const
type Detail = (typeof DETAILS)[number]

export const isDetail = (what: string): what is Detail => (DETAILS as readonly string[]).includes(what)

/** Throws an ApiProblem if the run has no such app. */
export async function detailOf(context: RunFacts, name: AppName, what: Detail): Promise<object> {
  const [app] = appsNamed(context.control.list().apps, name)
  const id = app?.appId ?? name.id
  return what === 'deaths' ? {deaths: deathsOf(context, id)} : environmentOf(context, id)
}

/** The latest last. */
const deathsOf = ({deaths}: RunFacts, id: string): readonly Api.DeathRow[] =>
  (deaths?.all(id) ?? []).map(({number, name, exit, at, livedMs, files, inside}) => ({
    number,
    name,
    exit: endOf(exit),
    at: new Date(at).toISOString(),
    livedMs,
    files,
    inside: inside.length
  }))

async function environmentOf({control, masked}: RunFacts, id: string): Promise<Api.Environment> {
  const launch = await control.launch(id)
  if (launch === undefined) throw new ApiProblem(409, `"${id}" is stopped: it has no environment`, 'Start it.')
  const masking = new Masking(masked())
  return {
    folder: launch.folder,
    command: launch.command,
    variables: launch.added
      .toSorted()
      .map(name => [name, withoutPasswords(masking.named(name, launch.environment[name] ?? ''))])
  }
}
