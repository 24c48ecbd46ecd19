import {decode, encode} from '../../proxy/net/grpc/message-codec.ts'
import type {Engine} from './engine.ts'
import {CHILD_REQUEST} from './far-messages.ts'
import type {Instance} from './instance.ts'
import {textOf} from './messages.ts'
import {ActivityItem} from './work-items.ts'

/* What apps of other runs are to do for instances of this one: activities and children. A run that has the app is a worker here. */

/** Terminates the children of an instance in other runs, with the output that they end with. */
export function endFarChildren(engine: Engine, instance: Instance, output: string | undefined): void {
  for (const child of engine.store.farChildren(instance.key)) {
    const asked = decode(CHILD_REQUEST, child.request)
    if (asked.isDetached || asked.isEnded) continue
    const item = engine.activities.at(child)
    if (item !== undefined) engine.drop(item)
    const end = {...child, request: encode(CHILD_REQUEST, {...asked, isEnded: true, input: textOf(output)})}
    engine.store.addActivity(end)
    engine.add(end, instance)
  }
}

/** Whether children of an instance in other runs have yet to hear that they are to end. */
export const endsFarChildren = ({store}: Engine, key: number): boolean =>
  store.farChildren(key).some(({request}) => decode(CHILD_REQUEST, request).isEnded)

/** Warns once of each thing that waits for an app which no run has. */
export function warnOfMissing(engine: Engine, app: string): void {
  for (const item of engine.farWorkersOf(app).waiting()) {
    if (!(item instanceof ActivityItem)) continue
    const {isChild, name, source} = item
    const text = `${isChild ? 'workflow' : 'activity'} '${name}' waits for app '${app}', which neither this template nor another run has`
    if (engine.warned.has(text)) continue
    engine.warned.add(text)
    engine.options.warn(source, text)
  }
}
