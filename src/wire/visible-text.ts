// Text that is shown to others: something can be seen in it, and nothing in it turns or hides the rest.
//
// `regional-calls` describes what players say with it. All code points are written out: classes such as
// `\p{Cf}` or `\s` go by the tables of the engine, and copies with different ones would not agree.
// Source: Unicode 16, Bidirectional_Control, Default_Ignorable_Code_Point and White_Space; UTS 55.
import { type Schema, text } from './schema.ts';

/** C0, C1 and the separators of lines and paragraphs. */
const CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029';
/** Marks, embeddings, overrides and isolates: what stands after them is shown in another order. */
const TURNING = '\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069';
/** Soft hyphen, zero width space, word joiner, byte order mark and others: two texts would look alike. */
const HIDDEN = '\\u00ad\\u180e\\u200b\\u2060-\\u2065\\u206a-\\u206f\\ufeff\\ufff9-\\ufffb';
const SPACES = ' \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000';
/** Fillers of Hangul, the empty Braille cell, and vowels that are never drawn. */
const LOOK_BLANK = '\\u115f\\u1160\\u17b4\\u17b5\\u2800\\u3164\\uffa0';
/** Joiners, variation selectors and tags: emoji and several scripts need them, beside something else. */
const UNSEEN_ALONE = '\\u034f\\u180b-\\u180d\\u180f\\u200c\\u200d\\ufe00-\\ufe0f\\u{e0000}-\\u{e0fff}';

const REFUSED: string = CONTROLS + TURNING + HIDDEN;
const BLANK: string = SPACES + LOOK_BLANK + UNSEEN_ALONE;
/** What comes before the first that can be seen is in one class only, so that nothing is tried twice. */
const VISIBLE = new RegExp(`^[${BLANK}]*[^${BLANK}${REFUSED}][^${REFUSED}]*$`, 'u');

/** 1 to `max` UTF-16 units, at least one of which can be seen. */
export function visibleText(max: number): Schema<string> {
  return text(1, max, VISIBLE, 'visible characters');
}
