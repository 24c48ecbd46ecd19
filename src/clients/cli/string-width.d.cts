/** How many columns of a terminal the text takes. */
export declare const stringWidth: (text: string) => number
