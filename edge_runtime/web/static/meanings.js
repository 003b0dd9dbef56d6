// What each number means, for somebody who flashed a board an hour ago.

export const MEANINGS = {
  processed:
    "Pictures a second that were looked at. “In” is what the camera delivers; “dropped” are pictures that were replaced by newer ones before anybody looked.",
  latency:
    "How long one picture takes from the start of the work to its result. 95 of 100 pictures are done within this time. It should be less than the time between two pictures.",
  temperature:
    "Of the processor. At its limit the board slows itself down so that it takes no harm: frames get fewer then.",
  power:
    "What the board draws now, and by how much that may be wrong. Only a meter knows it exactly; where there is none it is worked out from the load, as the source says.",
  stages:
    "The work on one picture, step by step. p50: half of the pictures need less; p95 and p99: 95 and 99 of 100 do. The mark is the time between two pictures: a bar that ends before it keeps up. Bars of p95 and p99 add up each stage's slow moments, which seldom come together.",
  camera: "Where the pictures come from, and whether they come.",
  models: "The networks that find faces and label them, as they run now.",
  governor:
    "It does less when the board gets too hot, too slow or short of power, and does more again when that is over.",
  memory: "What this program holds in memory now.",
  available: "What other programs, and this one, could still take before the machine gets slow.",
  cpu: "How busy this program keeps the processor; 100 % is one core.",
  "system-cpu": "How busy all cores are with all programs.",
  energy:
    "Power divided by pictures a second: what one picture costs, the whole board's idle power included.",
  alarms:
    "What the board's firmware complains of at this moment: too little voltage, too much heat. Over is over; see also since boot.",
  uptime: "How long this program has been running.",
};
