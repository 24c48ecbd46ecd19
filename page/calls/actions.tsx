import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useMemo, useState} from 'preact/hooks'
import {announce} from '../parts/announce.tsx'
import {confirm} from '../parts/confirm.tsx'
import {visible} from '../parts/safe-text.ts'
import {failure} from '../parts/strips.tsx'
import {api, mayChange, problemText} from '../state/api.ts'
import {useKeys, type Key} from '../state/keys.ts'
import {EditForm} from './edit-form.tsx'
import {ReplayResult} from './replay-result.tsx'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

const showProblem = (error: unknown): void => {
  failure.value = problemText(error)
}

const NO_KEYS: readonly Key[] = []

export interface ActionsProps {
  readonly call: Pick<Api.Call, 'number' | 'method' | 'path' | 'to'>
  /** What was sent: it can be edited, and sent so. */
  readonly edited?: Api.CallDetail
  /** Also by single keys; one call of a page may. */
  readonly hasKeys?: boolean
}

/** What can be done with a call: send it again, as it was or edited, copy it as a command, pin it. */
export function Actions({call, edited, hasKeys = false}: ActionsProps) {
  const {number, method, path} = call
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
    try {
      const answer = await api.ask('POST /calls/{number}/replay', {
        at: {number},
        body: {unsafe, ...(edit !== undefined && {edit})}
      })
      setResult(answer)
      announce(`Answered ${answer.after?.status ?? 0}`)
    } catch (error) {
      showProblem(error)
    }
  }
  const sendOrAsk = (): void => {
    if (SAFE.has(method)) return void send(false)
    confirm({
      text: `Send ${method} ${visible(path)} again? It may change something in ${visible(call.to)}.`,
      yes: 'Send it',
      run: () => void send(true)
    })
  }
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(
        await api.text('GET /calls.{format}', {at: {format: 'curl'}, query: {number}})
      )
      announce('Copied')
    } catch (error) {
      if (error instanceof DOMException) failure.value = 'The browser does not let the page write to the clipboard'
      else showProblem(error)
    }
  }
  const pin = async (): Promise<void> => {
    try {
      const {pins} = isPinned
        ? await api.ask('DELETE /pins/{number}', {at: {number}})
        : await api.ask('POST /pins', {body: {call: number}})
      const isNow = pins.some(each => each.call === number)
      setPinned(isNow)
      announce(isNow ? 'Pinned' : 'Unpinned')
    } catch (error) {
      showProblem(error)
    }
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
    {keys: 'r', button: 'Send again', text: 'Send the call again', run: sendOrAsk},
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
    {keys: 'c', button: 'curl', text: 'Copy the call as a curl command', isOn: undefined, run: () => void copy()}
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
