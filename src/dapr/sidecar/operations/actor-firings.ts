import type {ACTORS} from '../../../model/dapr/api/blocks.ts'
import {
  GetActorReminderRequest,
  GetActorReminderResponse,
  ListActorRemindersRequest,
  ListActorRemindersResponse,
  RegisterActorReminderRequest,
  RegisterActorTimerRequest,
  UnregisterActorReminderRequest,
  UnregisterActorRemindersByTypeRequest,
  UnregisterActorTimerRequest
} from '../../../model/dapr/messages/actors.generated.ts'
import type {Message} from '../../../proxy/net/grpc/message-codec.ts'
import type {FiringRequest} from '../../../work/actor/firing-spec.ts'
import type {Reminder} from '../../../work/actor/reminder-store.ts'
import type {FiringName} from '../../../work/actor/timers.ts'
import {timeAt} from '../../../work/times.ts'
import {formatGoDuration} from '../../../model/go-duration.ts'
import {compactJson, memberIn, memberText} from '../blocks/json-text.ts'
import {httpDone, malformed, readJson, textIn, type BlockRequest} from './block-request.ts'
import {isObject} from '../../../model/is-object.ts'
import {bytesValue, inGrpc} from './actor-grpc.ts'
import {policyOf} from './jobs.ts'
import {bufferOf, grpc, grpcDone, type OperationsOf} from './operation.ts'

const nameOf = ({params: [type = '', id = '', name = '']}: BlockRequest): FiringName => ({type, id, name})

type Named = Readonly<Record<'actorType' | 'actorId' | 'name', string>>
const nameIn = ({actorType: type, actorId: id, name}: Named): FiringName => ({type, id, name})

/** Reads the request for a timer or reminder from a body, which is JSON whatever its content type. */
function wishIn(request: BlockRequest): FiringRequest & {readonly overwrites: boolean} {
  const {text, value} = readJson(request)
  if (!isObject(value)) throw malformed('expected an object')
  const data = memberText(text, 'data')
  const overwrite = memberIn(value, 'overwrite') ?? true
  if (typeof overwrite !== 'boolean') throw malformed('"overwrite" must be true or false')
  return {
    dueTime: textIn(value, 'dueTime'),
    period: textIn(value, 'period'),
    ttl: textIn(value, 'ttl'),
    callback: textIn(value, 'callback'),
    data: data === undefined ? undefined : compactJson(data),
    overwrites: overwrite
  }
}

/** Converts bytes to the JSON that the app gets: a string in base64; undefined: none. */
const dataOf = (bytes: Uint8Array): string | undefined =>
  bytes.length === 0 ? undefined : JSON.stringify(bufferOf(bytes).toString('base64'))

/** Returns the period as Dapr reports it, without repetitions; undefined: the reminder fires once. */
const periodText = ({step}: Reminder): string | undefined =>
  step === undefined ? undefined : `@every ${formatGoDuration(step)}`

/** Returns a time to live that is a time. Dapr does not report durations (pkg/actors/internal/scheduler). */
const timeIn = (ttl: string): string | undefined => (Number.isNaN(timeAt(ttl)) ? undefined : ttl)

function reminderJson(reminder: Reminder): string {
  const {id, type, data, dueTime, ttl} = reminder
  const members: readonly (readonly [string, string | undefined])[] = [
    ['actorID', JSON.stringify(id)],
    ['actorType', JSON.stringify(type)],
    ['data', data],
    ['dueTime', dueTime === '' ? undefined : JSON.stringify(dueTime)],
    ['period', JSON.stringify(periodText(reminder))],
    ['ttl', JSON.stringify(timeIn(ttl))]
  ]
  return `{${members.flatMap(([name, text]) => (text === undefined ? [] : `"${name}":${text}`)).join(',')}}`
}

function reminderMessage(reminder: Reminder): Message<typeof GetActorReminderResponse> {
  const {type, id, dueTime, ttl, data} = reminder
  return {
    actorType: type,
    actorId: id,
    dueTime: dueTime === '' ? undefined : dueTime,
    period: periodText(reminder),
    data: bytesValue(data),
    ttl: timeIn(ttl)
  }
}

type Firings = Pick<
  OperationsOf<typeof ACTORS>,
  | 'RegisterActorTimer'
  | 'UnregisterActorTimer'
  | 'RegisterActorReminder'
  | 'GetActorReminder'
  | 'UnregisterActorReminder'
  | 'ListActorReminders'
  | 'UnregisterActorRemindersByType'
>

/** Timers and reminders (Dapr: pkg/api/http/actors.go, pkg/api/grpc/actors.go). */
export const FIRING_OPERATIONS: Firings = {
  RegisterActorTimer: {
    http: httpDone(async ({actorFirings}, request) => actorFirings.setTimer(nameOf(request), wishIn(request))),
    grpc: grpcDone(
      RegisterActorTimerRequest,
      inGrpc(async ({actorFirings}, message) => {
        const {dueTime, period, ttl, callback, data} = message
        return actorFirings.setTimer(nameIn(message), {dueTime, period, ttl, callback, data: dataOf(data)})
      })
    )
  },
  UnregisterActorTimer: {
    http: httpDone(async ({actorFirings}, request) => actorFirings.deleteTimer(nameOf(request))),
    grpc: grpcDone(
      UnregisterActorTimerRequest,
      inGrpc(async ({actorFirings}, message) => actorFirings.deleteTimer(nameIn(message)))
    )
  },
  RegisterActorReminder: {
    http: httpDone(async ({actorFirings}, request) => actorFirings.setReminder(nameOf(request), wishIn(request))),
    grpc: grpcDone(
      RegisterActorReminderRequest,
      inGrpc(async ({actorFirings}, message) => {
        const {dueTime, period, ttl, data, overwrite: overwrites = true, failurePolicy} = message
        const request = {dueTime, period, ttl, callback: '', data: dataOf(data)}
        return actorFirings.setReminder(nameIn(message), {...request, overwrites, policy: policyOf(failurePolicy)})
      })
    )
  },
  GetActorReminder: {
    http: async ({actorFirings}, request) => {
      const reminder = await actorFirings.getReminder(nameOf(request))
      return {status: 200, type: 'application/json', body: reminderJson(reminder), lines: ''}
    },
    grpc: grpc(
      GetActorReminderRequest,
      GetActorReminderResponse,
      inGrpc(async ({actorFirings}, message) => reminderMessage(await actorFirings.getReminder(nameIn(message))))
    )
  },
  UnregisterActorReminder: {
    http: httpDone(async ({actorFirings}, request) => actorFirings.deleteReminder(nameOf(request))),
    grpc: grpcDone(
      UnregisterActorReminderRequest,
      inGrpc(async ({actorFirings}, message) => actorFirings.deleteReminder(nameIn(message)))
    )
  },
  ListActorReminders: {
    grpc: grpc(ListActorRemindersRequest, ListActorRemindersResponse, async ({actorFirings}, {actorType, actorId}) => ({
      reminders: (await actorFirings.listReminders(actorType, actorId)).map(each => ({
        name: each.name,
        reminder: reminderMessage(each)
      }))
    }))
  },
  UnregisterActorRemindersByType: {
    grpc: grpcDone(UnregisterActorRemindersByTypeRequest, async ({actorFirings}, {actorType, actorId}) =>
      actorFirings.deleteReminders(actorType, actorId)
    )
  }
}
