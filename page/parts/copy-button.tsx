import {announce} from './announce.tsx'
import {failure} from './strips.tsx'

export const copyText = async (text: string): Promise<void> =>
  navigator.clipboard.writeText(text).then(
    () => announce('Copied'),
    () => void (failure.value = 'The browser does not let the page write to the clipboard')
  )

export const CopyButton = ({text, label}: {readonly text: string; readonly label: string}) => (
  <button type="button" onClick={() => void copyText(text)}>
    {label}
  </button>
)
