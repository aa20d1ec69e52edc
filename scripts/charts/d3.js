// The parts of D3 that the charts use. `just charts` makes reports/charts/d3.js of them.
export { axisBottom, axisLeft } from "d3-axis";
export { scaleBand, scaleLinear, scaleLog, scalePoint } from "d3-scale";
export { pointer, select } from "d3-selection";
