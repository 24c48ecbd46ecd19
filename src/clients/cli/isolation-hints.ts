import type {MovedPorts} from '../../model/moved-ports.ts'
import {portReaders, unnamedPorts} from '../../model/port-readers.ts'
import type {AppPlan, Plan} from '../../model/plan.ts'
import type {Hint} from '../../model/reporter.ts'
import {portsAsked, secondPorts, type HeldPorts} from '../../proxy/ports/isolated-plan.ts'

interface Isolated {
  /** Why the plan has other ports, for people. */
  readonly reason: string
  readonly moved: MovedPorts
  readonly heldByCopy: HeldPorts
}

/** Returns hints about the other ports of an isolated plan: the ports, apps that must read theirs, and numbers in files. */
export async function isolationHints(
  plan: Plan,
  isolated: Plan,
  {reason, moved, heldByCopy}: Isolated
): Promise<readonly Hint[]> {
  if (![...moved.keys()].some(port => isMoved(port, moved))) return []
  const ports = [...new Set([...mainPorts(plan, isolated), ...furtherPorts(plan, moved, heldByCopy)])]
  const shown = ports.length === 0 ? 'the sidecars have others' : ports.join(', ')
  const text = `other ports: ${reason}: ${shown}${readersText(plan, isolated)}${codeText(plan)}`
  return [{code: 'ports-moved', text}, ...(await fileHints(plan, moved))]
}

/** Returns `web 3000 → 24318` for each main port of an app that has another number. */
const mainPorts = (plan: Plan, isolated: Plan): readonly string[] =>
  plan.apps.flatMap((app, at) => {
    const now = portsOf(isolated.apps[at])
    return portsOf(app).flatMap((port, index) => (port === now[index] ? [] : [`${app.id} ${port} → ${now[index]}`]))
  })

/** Returns the same text for each further port, such as SMTP of a mail catcher that also has a page. */
const furtherPorts = (plan: Plan, moved: MovedPorts, heldByCopy: HeldPorts): readonly string[] =>
  plan.apps.flatMap(app =>
    secondPorts(app, plan, heldByCopy)
      .filter(port => isMoved(port, moved))
      .map(port => `${app.id} ${port} → ${moved.get(port)}`)
  )

/** Returns a warning about apps whose other port the template passes neither in a command nor in a variable. */
function readersText(plan: Plan, isolated: Plan): string {
  const readers = portReaders(plan, isolated).map(({id}) => id)
  if (readers.length === 0) return ''
  return `. Nothing in the template gives ${readers.join(', ')} the number: there PORT has to count, or a variable of the template`
}

/** Returns a warning about apps that others may call by a port number in code or files, which reaches the other copy's app. */
function codeText(plan: Plan): string {
  const called = new Set(unnamedPorts(plan, process.platform === 'linux').map(({id, port}) => `${id} at ${port}`))
  if (called.size === 0) return ''
  return `. What has the number of ${[...called].join(', ')} in its code or its files calls the other copy: a variable of the template has to name it`
}

/** Returns the ports at which an app listens, each number once. */
const portsOf = (app: AppPlan | undefined): readonly number[] =>
  [
    ...new Set(app && [app.published?.number ?? 0, app.channel.port, app.ready.kind === 'tcp' ? app.ready.port : 0])
  ].filter(port => port > 0)

const isMoved = (port: number, moved: MovedPorts): boolean => (moved.get(port) ?? port) !== port

const MAX_PLACES = 5

/** Returns a hint about the template's port numbers in files that programs read, and about ports that only a readiness command names. */
async function fileHints(plan: Plan, moved: MovedPorts): Promise<readonly Hint[]> {
  const {numbersInFiles} = await import('../../files/config/numbers-in-files.ts')
  const asked = plan.apps.flatMap(({ready, env}) =>
    ready.kind === 'command' ? [...portsAsked(ready.command, env)].filter(port => !moved.has(port)) : []
  )
  // on Linux a call at a `port` of the template reaches the caller's own copy: its process shows which one
  const called = new Set(process.platform === 'linux' ? plan.apps.map(({published}) => published?.number) : [])
  const others = [...moved].flatMap(([from, to]) => (from === to || called.has(from) ? [] : [from]))
  const found = numbersInFiles(plan, new Set([...others, ...asked]))
  if (found.length === 0) return []
  const shown = found.slice(0, MAX_PLACES).map(({place, port}) => `${place} (${port})`)
  const more = found.length > shown.length ? ` and ${found.length - shown.length} more` : ''
  const advice = 'write $APP_PORT there, or a variable of env, and the number itself as port or appPort in the template'
  return [
    {code: 'ports-moved', text: `numbers in files stay as they are in each copy: ${shown.join(', ')}${more}: ${advice}`}
  ]
}
