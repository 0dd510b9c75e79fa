"""The names of places: ISO 3166-1 countries, the states of the United States and the provinces of Canada.

Lookups are made on *folded* names (lower case, letters only, no accents): ``U.S.A.``, ``usa`` and ``USA`` are one key.
Kosovo and the European Union have no ISO code and are not in the table: Meta asks for ISO 3166-1 alpha-2 (Meta:
customer-information-parameters).
"""

import unicodedata
from collections.abc import Iterator
from typing import Final

# Per country: alpha-2, alpha-3, the usual English names with "|" between them.
_COUNTRIES: Final = """
ad and Andorra; ae are United Arab Emirates|Emirates|UAE; af afg Afghanistan; ag atg Antigua and Barbuda|Antigua
ai aia Anguilla; al alb Albania; am arm Armenia; ao ago Angola; aq ata Antarctica; ar arg Argentina
as asm American Samoa; at aut Austria; au aus Australia; aw abw Aruba; ax ala Aland Islands|Aland; az aze Azerbaijan
ba bih Bosnia and Herzegovina|Bosnia; bb brb Barbados; bd bgd Bangladesh; be bel Belgium; bf bfa Burkina Faso
bg bgr Bulgaria; bh bhr Bahrain; bi bdi Burundi; bj ben Benin; bl blm Saint Barthelemy|St Barthelemy; bm bmu Bermuda
bn brn Brunei|Brunei Darussalam; bo bol Bolivia|Bolivia, Plurinational State of
bq bes Bonaire, Sint Eustatius and Saba|Caribbean Netherlands|Bonaire; br bra Brazil|Brasil
bs bhs Bahamas|The Bahamas; bt btn Bhutan; bv bvt Bouvet Island; bw bwa Botswana; by blr Belarus; bz blz Belize
ca can Canada; cc cck Cocos Islands|Cocos (Keeling) Islands|Keeling Islands
cd cod Democratic Republic of the Congo|DR Congo|DRC|Congo-Kinshasa|Congo, The Democratic Republic of the
cf caf Central African Republic; cg cog Congo|Republic of the Congo|Congo-Brazzaville; ch che Switzerland
ci civ Ivory Coast|Cote d'Ivoire; ck cok Cook Islands; cl chl Chile; cm cmr Cameroon
cn chn China|People's Republic of China|PRC|Mainland China; co col Colombia; cr cri Costa Rica; cu cub Cuba
cv cpv Cape Verde|Cabo Verde; cw cuw Curacao; cx cxr Christmas Island; cy cyp Cyprus; cz cze Czech Republic|Czechia
de deu Germany|Deutschland; dj dji Djibouti; dk dnk Denmark; dm dma Dominica; do dom Dominican Republic
dz dza Algeria; ec ecu Ecuador; ee est Estonia; eg egy Egypt; eh esh Western Sahara; er eri Eritrea
es esp Spain|Espana; et eth Ethiopia; fi fin Finland; fj fji Fiji
fk flk Falkland Islands|Falklands|Falkland Islands (Malvinas); fm fsm Micronesia|Micronesia, Federated States of
fo fro Faroe Islands|Faroes; fr fra France; ga gab Gabon
gb gbr United Kingdom|UK|Great Britain|Britain|England|Scotland|Wales|Northern Ireland
gd grd Grenada; ge geo Georgia; gf guf French Guiana; gg ggy Guernsey; gh gha Ghana; gi gib Gibraltar
gl grl Greenland; gm gmb Gambia|The Gambia; gn gin Guinea; gp glp Guadeloupe; gq gnq Equatorial Guinea
gr grc Greece|Hellas|EL; gs sgs South Georgia and the South Sandwich Islands|South Georgia; gt gtm Guatemala
gu gum Guam; gw gnb Guinea-Bissau; gy guy Guyana; hk hkg Hong Kong|Hong Kong SAR
hm hmd Heard Island and McDonald Islands; hn hnd Honduras; hr hrv Croatia; ht hti Haiti; hu hun Hungary
id idn Indonesia; ie irl Ireland|Republic of Ireland|Eire; il isr Israel; im imn Isle of Man; in ind India
io iot British Indian Ocean Territory; iq irq Iraq; ir irn Iran|Iran, Islamic Republic of; is isl Iceland
it ita Italy|Italia; je jey Jersey; jm jam Jamaica; jo jor Jordan; jp jpn Japan; ke ken Kenya; kg kgz Kyrgyzstan
kh khm Cambodia; ki kir Kiribati; km com Comoros; kn kna Saint Kitts and Nevis|St Kitts and Nevis
kp prk North Korea|Korea, Democratic People's Republic of
kr kor South Korea|Korea|Republic of Korea|Korea, Republic of; kw kwt Kuwait; ky cym Cayman Islands; kz kaz Kazakhstan
la lao Laos|Lao People's Democratic Republic; lb lbn Lebanon; lc lca Saint Lucia|St Lucia; li lie Liechtenstein
lk lka Sri Lanka; lr lbr Liberia; ls lso Lesotho; lt ltu Lithuania; lu lux Luxembourg; lv lva Latvia; ly lby Libya
ma mar Morocco; mc mco Monaco; md mda Moldova|Republic of Moldova|Moldova, Republic of; me mne Montenegro
mf maf Saint Martin|St Martin|Saint Martin (French part); mg mdg Madagascar; mh mhl Marshall Islands
mk mkd North Macedonia|Macedonia; ml mli Mali; mm mmr Myanmar|Burma; mn mng Mongolia; mo mac Macao|Macau
mp mnp Northern Mariana Islands; mq mtq Martinique; mr mrt Mauritania; ms msr Montserrat; mt mlt Malta
mu mus Mauritius; mv mdv Maldives; mw mwi Malawi; mx mex Mexico; my mys Malaysia; mz moz Mozambique; na nam Namibia
nc ncl New Caledonia; ne ner Niger; nf nfk Norfolk Island; ng nga Nigeria; ni nic Nicaragua
nl nld Netherlands|The Netherlands|Holland; no nor Norway; np npl Nepal; nr nru Nauru; nu niu Niue; nz nzl New Zealand
om omn Oman; pa pan Panama; pe per Peru; pf pyf French Polynesia; pg png Papua New Guinea
ph phl Philippines|The Philippines; pk pak Pakistan; pl pol Poland
pm spm Saint Pierre and Miquelon|St Pierre and Miquelon; pn pcn Pitcairn|Pitcairn Islands; pr pri Puerto Rico
ps pse Palestine|State of Palestine|Palestine, State of; pt prt Portugal; pw plw Palau; py pry Paraguay; qa qat Qatar
re reu Reunion; ro rou Romania; rs srb Serbia; ru rus Russia|Russian Federation; rw rwa Rwanda
sa sau Saudi Arabia|KSA; sb slb Solomon Islands; sc syc Seychelles; sd sdn Sudan; se swe Sweden; sg sgp Singapore
sh shn Saint Helena|St Helena|Saint Helena, Ascension and Tristan da Cunha; si svn Slovenia
sj sjm Svalbard and Jan Mayen|Svalbard; sk svk Slovakia|Slovak Republic; sl sle Sierra Leone; sm smr San Marino
sn sen Senegal; so som Somalia; sr sur Suriname; ss ssd South Sudan; st stp Sao Tome and Principe; sv slv El Salvador
sx sxm Sint Maarten|Sint Maarten (Dutch part); sy syr Syria|Syrian Arab Republic; sz swz Eswatini|Swaziland
tc tca Turks and Caicos Islands|Turks and Caicos; td tcd Chad; tf atf French Southern Territories; tg tgo Togo
th tha Thailand; tj tjk Tajikistan; tk tkl Tokelau; tl tls Timor-Leste|East Timor; tm tkm Turkmenistan; tn tun Tunisia
to ton Tonga; tr tur Turkey|Turkiye; tt tto Trinidad and Tobago|Trinidad; tv tuv Tuvalu
tw twn Taiwan|Taiwan, Province of China; tz tza Tanzania|United Republic of Tanzania|Tanzania, United Republic of
ua ukr Ukraine; ug uga Uganda; um umi United States Minor Outlying Islands
us usa United States|United States of America|The United States|America; uy ury Uruguay; uz uzb Uzbekistan
va vat Vatican City|Vatican|Holy See|Holy See (Vatican City State)
vc vct Saint Vincent and the Grenadines|Saint Vincent; ve ven Venezuela|Venezuela, Bolivarian Republic of
vg vgb British Virgin Islands|Virgin Islands, British; vi vir US Virgin Islands|Virgin Islands, US
vn vnm Vietnam|Viet Nam; vu vut Vanuatu; wf wlf Wallis and Futuna; ws wsm Samoa; ye yem Yemen; yt myt Mayotte
za zaf South Africa|RSA; zm zmb Zambia; zw zwe Zimbabwe
"""

# Per state or province: the two-letter code, the names with "|" between them.
_STATES: Final = """
al Alabama; ak Alaska; az Arizona; ar Arkansas; ca California; co Colorado; ct Connecticut; de Delaware; fl Florida
ga Georgia; hi Hawaii; id Idaho; il Illinois; in Indiana; ia Iowa; ks Kansas; ky Kentucky; la Louisiana; me Maine
md Maryland; ma Massachusetts; mi Michigan; mn Minnesota; ms Mississippi; mo Missouri; mt Montana; ne Nebraska
nv Nevada; nh New Hampshire; nj New Jersey; nm New Mexico; ny New York|New York State; nc North Carolina
nd North Dakota; oh Ohio; ok Oklahoma; or Oregon; pa Pennsylvania; ri Rhode Island; sc South Carolina; sd South Dakota
tn Tennessee; tx Texas; ut Utah; vt Vermont; va Virginia; wa Washington|Washington State; wv West Virginia
wi Wisconsin; wy Wyoming; dc District of Columbia|Washington DC; as American Samoa; gu Guam
mp Northern Mariana Islands; pr Puerto Rico; vi US Virgin Islands|Virgin Islands; ab Alberta; bc British Columbia
mb Manitoba; nb New Brunswick; nl Newfoundland and Labrador|Newfoundland; ns Nova Scotia; nt Northwest Territories
nu Nunavut; on Ontario; pe Prince Edward Island; qc Quebec; sk Saskatchewan; yt Yukon|Yukon Territory
"""


def folded(name: str) -> str:
    """Return the name as a lookup key: lower case, letters only, without accents."""
    if not name.isascii():
        name = unicodedata.normalize("NFKD", name)
    return "".join(filter(str.isalpha, name.lower()))


def _entries(table: str) -> Iterator[str]:
    return (entry.strip() for line in table.strip().splitlines() for entry in line.split(";"))


def _country_codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for entry in _entries(_COUNTRIES):
        alpha2, alpha3, names = entry.split(" ", 2)
        codes |= dict.fromkeys((alpha2, alpha3, *map(folded, names.split("|"))), alpha2)
    return codes


def _state_codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for entry in _entries(_STATES):
        code, names = entry.split(" ", 1)
        codes |= dict.fromkeys(map(folded, names.split("|")), code)
    return codes


COUNTRY_CODES: Final = _country_codes()
"""Folded name, alpha-2 or alpha-3 code -> alpha-2 code in lower case."""

STATE_CODES: Final = _state_codes()
"""Folded name of a US state or Canadian province -> its two-letter code in lower case."""
