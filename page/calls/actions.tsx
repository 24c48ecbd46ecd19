import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useMemo, useRef, useState} from 'preact/hooks'
import {announce} from '../parts/announce.tsx'
import {visible} from '../parts/safe-text.ts'
import {failure} from '../parts/strips.tsx'
import {ask, mayChange, problemOf, request} from '../state/api.ts'
import {useKeys, type Key} from '../state/keys.ts'
import {ReplayResult} from './replay-result.tsx'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

const told = (error: unknown): void => {
  const {message, hint} = problemOf(error)
  failure.value = `${message}${hint === '' ? '' : `. ${hint}`}`
}

const NO_KEYS: readonly Key[] = []

/** What can be done with a call: send it again, copy it as a command, pin it. `hasKeys`: also by single keys; one call of a page may. */
export function Actions({
  call,
  hasKeys = false
}: {
  readonly call: Pick<Api.Call, 'number' | 'method' | 'path' | 'to'>
  readonly hasKeys?: boolean
}) {
  const {number, method, path} = call
  const [result, setResult] = useState<Api.Replay | undefined>(undefined)
  const [isPinned, setPinned] = useState(false)
  const question = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    ask<Api.Pins>('/pins').then(
      ({pins}) => setPinned(pins.some(pin => pin.call === number)),
      () => undefined // the button says what is wrong when it is used
    )
  }, [number])
  const send = async (unsafe: boolean): Promise<void> => {
    announce(`Sending call ${number} again`)
    try {
      const answer = await ask<Api.Replay>(`/calls/${number}/replay`, {method: 'POST', body: {unsafe}})
      setResult(answer)
      announce(`Answered ${answer.after?.status ?? 0}`)
    } catch (error) {
      told(error)
    }
  }
  const sendOrAsk = (): void => {
    if (SAFE.has(method)) void send(false)
    else question.current?.showModal()
  }
  const copy = async (): Promise<void> => {
    try {
      const response = await request(`/calls.curl?number=${number}`)
      await navigator.clipboard.writeText(await response.text())
      announce('Copied')
    } catch (error) {
      if (error instanceof DOMException) failure.value = 'The browser does not let the page write to the clipboard'
      else told(error)
    }
  }
  const pin = async (): Promise<void> => {
    try {
      const address = isPinned ? `/pins/${number}` : '/pins'
      const {pins} = await ask<Api.Pins>(
        address,
        isPinned ? {method: 'DELETE'} : {method: 'POST', body: {call: number}}
      )
      const isNow = pins.some(each => each.call === number)
      setPinned(isNow)
      announce(isNow ? 'Pinned' : 'Unpinned')
    } catch (error) {
      told(error)
    }
  }
  const keys = useMemo<readonly Key[]>(
    () => [
      {keys: 'c', text: 'Copy the call as a curl command', run: () => void copy()},
      ...(mayChange
        ? [
            {keys: 'r', text: 'Send the call again', run: sendOrAsk},
            {keys: 'm', text: 'Pin the call, or unpin it', run: () => void pin()}
          ]
        : [])
    ],
    [number, isPinned]
  )
  useKeys(hasKeys ? keys : NO_KEYS)
  return (
    <>
      <div class="tools">
        {mayChange && (
          <button type="button" title={hasKeys ? 'Key: r' : undefined} onClick={sendOrAsk}>
            Send again
          </button>
        )}
        <button type="button" title={hasKeys ? 'Key: c' : undefined} onClick={() => void copy()}>
          curl
        </button>
        {mayChange && (
          <button
            type="button"
            title={hasKeys ? 'Key: m' : undefined}
            aria-pressed={isPinned}
            onClick={() => void pin()}
          >
            {isPinned ? 'Pinned' : 'Pin'}
          </button>
        )}
      </div>
      {result !== undefined && <ReplayResult replay={result} />}
      <dialog ref={question} aria-labelledby={`send-${number}`}>
        <h2 id={`send-${number}`}>Send {method} again?</h2>
        <p>
          <code>{`${method} ${visible(path)}`}</code> may change something in {visible(call.to)}.
        </p>
        <form method="dialog" class="tools">
          <button type="submit">Leave it</button>
          <button type="submit" onClick={() => void send(true)}>
            Send it
          </button>
        </form>
      </dialog>
    </>
  )
}
