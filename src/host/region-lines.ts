// The regions on the live screen: who is primary, what that has cost, how far the copies trail, who walks.
//
// `screen.ts` shows them. Where the terminal is too narrow for one line each, what one looks at first (the
// primary, losses, lags) stands among the first lines, and how busy the region is among the last. Pure.
import { byteCount, grouped, type Line, milliseconds, type Piece, piece } from './lines.ts';
import { lostPlaces } from './primaries.ts';
import { columnWidth, roomForNames, rowWidth, shortened } from './short-names.ts';
import type { GatewayView, RegionView } from './view.ts';

/** Room for a copy's lag behind its name, in ten thousands of entries and minutes. */
const LAG_WIDTH: number = ' :12,345/59 min'.length;
/** Copies are told once a second how far the primary is: whose state is older hears nothing. */
const OLD_MS = 3_500;
const BUSY_COLUMNS = ['TICKS/S', 'LONGEST', 'OUT/S', 'IN/S', 'SKIPPED'];
const FIGURES_HEAD = 'EPOCH  LOST PLAYERS ';
const COPIES_HEAD = ' LAG OF COPIES';
const SOUGHT = 'sought';
/** From here on a region has one line, with more room for names the wider the terminal is. */
const WIDE_COLUMNS = 120;

/** How long names may be, and how wide that makes the columns that hold them. */
interface Widths {
  readonly name: number;
  readonly region: number;
  readonly primary: number;
  /** 0 where nothing stands behind them. */
  readonly copies: number;
}

export interface RegionLines {
  readonly lines: readonly Line[];
  /** What had no room there; empty on a wide terminal. */
  readonly further: readonly Line[];
}

export function regionLines(regions: readonly RegionView[], columns: number): RegionLines {
  const isWide = columns >= WIDE_COLUMNS;
  const widths = widthsOf(regions, columns, isWide);
  const busyHead = piece(cells(BUSY_COLUMNS), 'faint');
  const regionHead = 'REGION'.padEnd(widths.region);
  const firstHead = regionHead + 'PRIMARY'.padEnd(widths.primary) + FIGURES_HEAD;
  const copiesHead = COPIES_HEAD.padEnd(widths.copies);
  const head: Line = [piece(firstHead + copiesHead, 'faint'), ...(isWide ? [busyHead] : [])];
  const lines = regions.map((region): Line => {
    const first = [...primaryPieces(region, widths), ...copyPieces(region, widths)];
    return isWide ? [...first, busyPiece(region)] : first;
  });
  if (isWide) return { lines: [head, ...lines], further: [] };
  const busy = regions.map((region): Line => [namePiece(region, widths), busyPiece(region)]);
  return { lines: [head, ...lines], further: [[piece(regionHead, 'faint'), busyHead], ...busy] };
}

/** By names alone, so that columns stand still whatever the figures are. */
function widthsOf(regions: readonly RegionView[], columns: number, isWide: boolean): Widths {
  const names = regions.map(({ region }) => region);
  const holders = [SOUGHT, ...regions.flatMap(({ copies }) => copies.map(({ name }) => name))];
  const at = (name: number): Widths => {
    const copies = regions.map((region) => {
      return rowWidth(region.copies.map((copy) => copy.name), name, LAG_WIDTH);
    });
    return {
      name,
      region: columnWidth('REGION ', names, name),
      primary: columnWidth('PRIMARY', holders, name),
      copies: Math.max(COPIES_HEAD.length, ...copies),
    };
  };
  const busyWidth = isWide ? cells(BUSY_COLUMNS).length : 0;
  const name = roomForNames(columns - busyWidth - FIGURES_HEAD.length, (max) => {
    const { region, primary, copies } = at(max);
    return region + primary + copies;
  });
  return isWide ? at(name) : { ...at(name), copies: 0 };
}

/** Which entries regions have lost with a primary, the newest of each; nothing where nothing is lost. */
export function lossLines(regions: readonly RegionView[]): readonly Line[] {
  return regions.flatMap(({ region, losses }): readonly Line[] => {
    const newest = losses.at(-1);
    if (newest === undefined) return [];
    const earlier = losses.length - 1;
    const more = earlier === 0 ? '' : `, and ${earlier} earlier loss${earlier === 1 ? '' : 'es'}`;
    return [[piece('LOST   ', 'faint'), piece(`${region}: ${lostPlaces(newest)}${more}`, 'bad')]];
  });
}

/** The gateways that stand with no region; nothing where there are none. */
export function gatewayLines(gateways: readonly GatewayView[]): readonly Line[] {
  if (gateways.length === 0) return [];
  const width = Math.max(...['GATEWAY', ...gateways.map((each) => each.gateway)].map(({ length }) => length));
  const head = 'GATEWAY'.padEnd(width) + cells(['LINKS', 'PLAYERS', 'OUT/S', 'IN/S', 'SKIPPED']);
  const lines = gateways.map((gateway): Line => {
    const figures = [
      grouped(gateway.links),
      grouped(gateway.players),
      byteCount(gateway.bytesOutPerSecond),
      byteCount(gateway.bytesInPerSecond),
      grouped(gateway.framesSkipped),
    ];
    const name = piece(gateway.gateway.padEnd(width), gateway.isAnswering ? 'plain' : 'bad');
    return [name, piece(cells(gateway.isAnswering ? figures : figures.map(() => '?')))];
  });
  return [[piece(head, 'faint')], ...lines];
}

function primaryPieces(region: RegionView, widths: Widths): readonly Piece[] {
  const { primary, epoch, isSought, isAnswering, lost } = region;
  const players = isAnswering ? grouped(region.players) : '?';
  const name = isSought || primary === undefined ? SOUGHT : shortened(primary, widths.name);
  return [
    namePiece(region, widths),
    piece(name.padEnd(widths.primary), isSought ? 'bad' : 'good'),
    piece(String(epoch).padStart(5)),
    piece(grouped(lost).padStart(6), lost > 0 ? 'bad' : 'plain'),
    piece(`${players.padStart(8)} `),
  ];
}

/** Entries, and how old the state is where that tells more: a copy that hears nothing misses nothing. */
function copyPieces(region: RegionView, widths: Widths): readonly Piece[] {
  const others = region.copies.filter(({ name }) => name !== region.primary);
  const pieces = others.map(({ name, lagEntries, lagMs, isHealthy }) => {
    const lag = lagEntries === undefined ? '?' : grouped(lagEntries);
    const isOld = (lagMs ?? 0) >= OLD_MS;
    const age = lagMs === undefined || (lagEntries === 0 && !isOld) ? '' : `/${ageOf(lagMs)}`;
    return piece(` ${shortened(name, widths.name)}:${lag}${age}`, isHealthy && !isOld ? 'plain' : 'bad');
  });
  const width = pieces.reduce((sum, { text }) => sum + text.length, 0);
  return [...pieces, piece(' '.repeat(Math.max(0, widths.copies - width)))];
}

function ageOf(lagMs: number): string {
  if (lagMs < 1_000) return `${Math.round(lagMs)} ms`;
  const seconds = lagMs / 1_000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
}

function busyPiece(region: RegionView): Piece {
  const { isAnswering } = region;
  return piece(
    cells([
      isAnswering ? region.ticksPerSecond.toFixed(1) : '?',
      isAnswering ? `${milliseconds(region.tickMsMax)} ms` : '?',
      byteCount(region.bytesOutPerSecond),
      byteCount(region.bytesInPerSecond),
      grouped(region.framesSkipped),
    ]),
  );
}

function namePiece({ region, isAnswering }: RegionView, widths: Widths): Piece {
  return piece(shortened(region, widths.name).padEnd(widths.region), isAnswering ? 'plain' : 'bad');
}

function cells(texts: readonly string[]): string {
  return texts.map((text) => text.padStart(8)).join('');
}
