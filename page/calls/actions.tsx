import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useMemo, useState} from 'preact/hooks'
import {announce} from '../parts/announce.tsx'
import {copyText} from '../parts/copy-button.tsx'
import {attempt} from '../parts/strips.tsx'
import {api, mayChange} from '../state/api.ts'
import {useKeys, type Key} from '../state/keys.ts'
import {lookForUsed} from '../state/used.ts'
import {EditForm} from './edit-form.tsx'
import {ReplayResult} from './replay-result.tsx'
import {sendOrAsk} from './send-or-ask.ts'

const NO_KEYS: readonly Key[] = []

export interface ActionsProps {
  readonly call: Pick<Api.Call, 'number' | 'method' | 'path' | 'to'>
  /** The call with its request, if the request may be edited before it is sent. */
  readonly edited?: Api.CallDetail
  /** Whether single keys run the actions too; only one call on a page may have them. */
  readonly hasKeys?: boolean
}

/** Shows the actions on a call: send it again, unchanged or edited, copy it as a curl command, pin it. */
export function Actions({call, edited, hasKeys = false}: ActionsProps) {
  const {number} = call
  const [result, setResult] = useState<Api.Replay | undefined>(undefined)
  const [isPinned, setPinned] = useState(false)
  const [isEditing, setEditing] = useState(false)
  useEffect(() => {
    api.ask('GET /pins').then(
      ({pins}) => setPinned(pins.some(pin => pin.call === number)),
      () => undefined // the button says what is wrong when it is used
    )
  }, [number])
  const send = async (unsafe: boolean, edit?: Api.RequestEdit): Promise<void> => {
    announce(`Sending call ${number} again`)
    setResult(undefined)
    const answer = await attempt(async () =>
      api.ask('POST /calls/{number}/replay', {at: {number}, body: {unsafe, edit}})
    )
    if (answer === undefined) return
    setResult(answer)
    announce(`Answered ${answer.after?.status ?? 0}`)
  }
  const copy = (): void =>
    void attempt(async () => api.text('GET /calls.{format}', {at: {format: 'curl'}, query: {number}}).then(copyText))
  const pin = async (): Promise<void> => {
    const found = await attempt(async () =>
      isPinned ? api.ask('DELETE /pins/{number}', {at: {number}}) : api.ask('POST /pins', {body: {call: number}})
    )
    if (found === undefined) return
    const isNow = found.pins.some(each => each.call === number)
    setPinned(isNow)
    void lookForUsed()
    announce(isNow ? 'Pinned' : 'Unpinned')
  }
  const changes: readonly (Key & {readonly button: string; readonly isOn?: boolean})[] = [
    ...(edited === undefined
      ? []
      : [
          {
            keys: 'e',
            button: 'Edit and send …',
            text: 'Edit the call and send it',
            isOn: isEditing,
            run: () => setEditing(!isEditing)
          }
        ]),
    {keys: 'r', button: 'Send again', text: 'Send the call again', run: () => sendOrAsk(call, send)},
    {
      keys: 'm',
      button: isPinned ? 'Pinned' : 'Pin',
      text: 'Pin the call, or unpin it',
      isOn: isPinned,
      run: () => void pin()
    }
  ]
  const all = [
    ...(mayChange ? changes : []),
    {keys: 'c', button: 'curl', text: 'Copy the call as a curl command', isOn: undefined, run: copy}
  ]
  const keys = useMemo<readonly Key[]>(() => all, [number, isPinned, isEditing, edited])
  useKeys(hasKeys ? keys : NO_KEYS)
  return (
    <>
      <div class="tools">
        {all.map(({keys: key, button, isOn, run}) => (
          <button
            key={key}
            type="button"
            class={key === 'e' ? 'primary' : ''}
            title={hasKeys ? `Key: ${key}` : undefined}
            aria-pressed={isOn}
            onClick={run}
          >
            {button}
          </button>
        ))}
      </div>
      {isEditing && edited !== undefined && <EditForm call={edited} onSend={async edit => send(true, edit)} />}
      {result !== undefined && <ReplayResult replay={result} />}
    </>
  )
}
