import {signal} from '@preact/signals'

/** Now, in ms since 1970, once a second while the page is seen. */
export const now = signal(Date.now())
setInterval(() => {
  if (!document.hidden) now.value = Date.now()
}, 1000)
