// The recurrent network of chapter 01, one row at a time: the same formula as lstmkit.rnn.equations.
// Matrices are arrays of rows: W_ih (H, I), W_hh (H, H); x (I), h (H), b (H).

/** One entry of W v: the dot product of a row of W with v. */
export const dot = (row, v) => row.reduce((sum, w, j) => sum + w * v[j], 0);

/** h_next = tanh(W_ih x + W_hh h_prev + b). */
export const rnnStep = (x, hPrev, W_ih, W_hh, b) =>
  b.map((bias, j) => Math.tanh(dot(W_ih[j], x) + dot(W_hh[j], hPrev) + bias));

/** Every state of a sequence, the start included: xs (T, I) gives (T + 1, H). */
export function rnnForward(xs, h0, W_ih, W_hh, b) {
  const states = [h0];
  for (const x of xs) states.push(rnnStep(x, states[states.length - 1], W_ih, W_hh, b));
  return states;
}
