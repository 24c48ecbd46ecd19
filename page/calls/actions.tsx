import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useMemo, useRef, useState} from 'preact/hooks'
import {announce} from '../parts/announce.tsx'
import {visible} from '../parts/safe-text.ts'
import {failure} from '../parts/strips.tsx'
import {api, mayChange, problemText} from '../state/api.ts'
import {useKeys, type Key} from '../state/keys.ts'
import {ReplayResult} from './replay-result.tsx'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

const showProblem = (error: unknown): void => {
  failure.value = problemText(error)
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
    api.ask('GET /pins').then(
      ({pins}) => setPinned(pins.some(pin => pin.call === number)),
      () => undefined // the button says what is wrong when it is used
    )
  }, [number])
  const send = async (unsafe: boolean): Promise<void> => {
    announce(`Sending call ${number} again`)
    try {
      const answer = await api.ask('POST /calls/{number}/replay', {at: {number}, body: {unsafe}})
      setResult(answer)
      announce(`Answered ${answer.after?.status ?? 0}`)
    } catch (error) {
      showProblem(error)
    }
  }
  const sendOrAsk = (): void => {
    if (SAFE.has(method)) void send(false)
    else question.current?.showModal()
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
