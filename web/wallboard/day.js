// The last 24 hours by quarters of an hour, all workgroups together: plain sums, to be drawn.
const sum = (rows, name) => rows.reduce((total, row) => total + row[name], 0);

/** Rows of `/statistics/intervals` as columns: `{at: [s], offered, answered, abandoned, percent, speed_s, longest_s}`; null where nothing was. */
export function columnsOf(items) {
  const quarters = new Map();
  for (const item of items) quarters.set(item.begin, [...(quarters.get(item.begin) ?? []), item]);
  const columns = { at: [], offered: [], answered: [], abandoned: [], percent: [], speed_s: [], longest_s: [] };
  for (const begin of [...quarters.keys()].sort()) {
    const rows = quarters.get(begin);
    const answered = sum(rows, 'answered');
    const waited_s = rows.reduce((total, row) => total + (row.average_speed_of_answer_s ?? 0) * row.answered, 0);
    columns.at.push(Date.parse(begin) / 1000);
    columns.offered.push(sum(rows, 'offered'));
    columns.answered.push(answered);
    columns.abandoned.push(sum(rows, 'abandoned'));
    columns.percent.push(answered ? (100 * sum(rows, 'answered_in_time')) / answered : null);
    columns.speed_s.push(answered ? waited_s / answered : null);
    columns.longest_s.push(Math.max(...rows.map((row) => row.longest_wait_s)));
  }
  return columns;
}
