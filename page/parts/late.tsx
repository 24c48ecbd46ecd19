import type {ComponentType} from 'preact'
import {useEffect, useState} from 'preact/hooks'

/** A component whose code is loaded when it is shown first. */
export function late<P extends object>(load: () => Promise<{readonly default: ComponentType<P>}>) {
  return function Late(props: P) {
    const [found, setFound] = useState<{readonly code: ComponentType<P>} | string>('Loading …')
    useEffect(() => {
      load().then(
        ({default: code}) => setFound({code}),
        () => setFound('Its code could not be loaded: the run does not answer.')
      )
    }, [])
    return typeof found === 'string' ? <p class="empty">{found}</p> : <found.code {...props} />
  }
}
