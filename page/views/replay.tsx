import {useEffect} from 'preact/hooks'
import {isSafe} from '../calls/send-or-ask.ts'
import {PinTable} from '../replay/pin-table.tsx'
import {isSending, loadPins, pins, sendAll} from '../replay/pins.ts'
import {SideBySide} from '../replay/side-by-side.tsx'
import {SentNow, WindowForm} from '../replay/window-form.tsx'
import {mayChange} from '../state/api.ts'
import {hrefOf, parameter} from '../state/route.ts'
import {endAll, listen, opened} from '../state/run.ts'
import {confirm} from '../parts/confirm.tsx'

export default function Replay() {
  useEffect(() => {
    void loadPins()
    return endAll(
      listen('replay', () => void loadPins()),
      listen('reset', () => void loadPins())
    )
  }, [opened.value])
  const known = pins.value
  const unsafe = known?.pins.filter(({method}) => !isSafe(method)) ?? []
  const sendPinned = (): void => {
    if (unsafe.length === 0) return void sendAll(false)
    const methods = [...new Set(unsafe.map(({method}) => method))].join(' and ')
    confirm({
      text: `Send ${methods}, too? ${unsafe.length} of the pinned calls may change something.`,
      yes: 'Send all',
      run: () => void sendAll(true),
      or: {text: 'Only those that are safe', run: () => void sendAll(false)}
    })
  }
  return (
    <>
      <div class="tools">
        <h1>Replay</h1>
        <span class="soft">After each save the pinned calls that are safe are sent again.</span>
        {mayChange && (
          <button
            type="button"
            class="far"
            disabled={isSending.value || (known?.pins.length ?? 0) === 0}
            onClick={sendPinned}
          >
            Send all now
          </button>
        )}
      </div>
      {known === undefined && <p class="empty">Asking the run …</p>}
      {known?.pins.length === 0 && (
        <p class="empty">
          No call is pinned. Open one of the <a href={hrefOf('calls')}>calls</a> and pin it, or{' '}
          <code>pillion replay --pin NUMBER</code>.
        </p>
      )}
      {known !== undefined && known.pins.length > 0 && <PinTable known={known} />}
      {known !== undefined && (
        <SideBySide known={known} call={Number(parameter('call'))} round={Number(parameter('round'))} />
      )}
      {mayChange && <WindowForm />}
      <SentNow />
    </>
  )
}
