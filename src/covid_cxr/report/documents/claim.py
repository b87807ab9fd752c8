"""CLAIM, the Checklist for Artificial Intelligence in Medical Imaging, update of 2024.

Numbers and sections are those of the form: Tejani A S, Klontzas M E, Gatti A A, et al.
Radiol Artif Intell 2024;6(4):e240300, doi 10.1148/ryai.240300. The topics are in our
words; the form itself is the authority (docs/decisions/0020).
"""

from covid_cxr.report.documents import data_statements as data
from covid_cxr.report.documents import model_statements as model
from covid_cxr.report.documents import result_statements as results
from covid_cxr.report.documents.checklist import Question, answer_all
from covid_cxr.report.documents.document import Document
from covid_cxr.report.documents.evidence import Evidence

SOURCE = (
    "Draft after CLAIM 2024 (Tejani et al., Radiol Artif Intell 2024;6(4):e240300, "
    "doi 10.1148/ryai.240300). Numbers are those of the form, topics are shortened: "
    "submit the official form, with page and line numbers."
)

TITLE, ABSTRACT, INTRODUCTION = "Title", "Abstract", "Introduction"
DESIGN, DATA = "Methods: study design", "Methods: data"
REFERENCE, PARTITIONS = "Methods: reference standard", "Methods: data partitions"
TESTING_DATA, MODEL = "Methods: testing data", "Methods: model"
TRAINING, EVALUATION = "Methods: training", "Methods: evaluation"
RESULTS_DATA, RESULTS = "Results: data", "Results: model performance"
DISCUSSION, OTHER = "Discussion", "Other information"

QUESTIONS = (
    Question(
        number="1",
        section=TITLE,
        topic="AI study, and which kind of AI",
        told=(model.study_type,),
        asked="the title, which says so",
    ),
    Question(
        number="2",
        section=ABSTRACT,
        topic="Design, methods, results and conclusions in short",
        told=(results.performance,),
        asked="the abstract",
    ),
    Question(
        number="3",
        section=INTRODUCTION,
        topic="Background, and the role meant for the AI",
        asked="scientific and clinical background, intended use and role",
    ),
    Question(
        number="4",
        section=INTRODUCTION,
        topic="Aims and hypotheses",
        told=(model.study_type,),
        asked="aims and hypotheses, with the date at which they were set",
    ),
    Question(
        number="5",
        section=DESIGN,
        topic="Prospective or retrospective",
        asked="prospective or retrospective collection of the cohort that is tested on",
    ),
    Question(
        number="6",
        section=DESIGN,
        topic="Goal of the study",
        told=(model.study_type,),
        asked="the goal: feasibility, development, comparison with readers …",
    ),
    Question(
        number="7",
        section=DATA,
        topic="Sources of the data",
        told=(data.sources,),
        asked="approvals, licences and the years of collection",
    ),
    Question(
        number="8",
        section=DATA,
        topic="Inclusion and exclusion",
        told=(data.eligibility,),
        asked="how, where and when patients were found eligible",
    ),
    Question(
        number="9",
        section=DATA,
        topic="Pre-processing",
        told=(data.preprocessing,),
    ),
    Question(
        number="10",
        section=DATA,
        topic="Selection of subsets",
        told=(data.subsets,),
    ),
    Question(
        number="11",
        section=DATA,
        topic="De-identification",
        told=(data.pseudonyms,),
        asked="how images and tables were de-identified before they came to the study",
    ),
    Question(
        number="12",
        section=DATA,
        topic="Missing data",
        told=(data.missing_values,),
    ),
    Question(
        number="13",
        section=DATA,
        topic="Acquisition of the images",
        told=(data.views,),
        asked="equipment, manufacturers and acquisition settings",
    ),
    Question(
        number="14",
        section=REFERENCE,
        topic="How the reference standard was obtained",
        told=(data.reference_standard,),
        asked="the test, its timing to the radiograph, and its laboratories",
    ),
    Question(
        number="15",
        section=REFERENCE,
        topic="Why this reference standard",
        asked="the rationale, and what it misses",
    ),
    Question(
        number="16",
        section=REFERENCE,
        topic="Where annotations come from",
        told=(data.reference_standard,),
        asked="who annotated the group's own images, with which qualification",
    ),
    Question(
        number="17",
        section=REFERENCE,
        topic="Annotation of the test set",
        asked="whether test labels were made otherwise than those of training",
    ),
    Question(
        number="18",
        section=REFERENCE,
        topic="Variability between and within raters",
        asked="variability of the annotations, or that none was measured",
    ),
    Question(
        number="19",
        section=PARTITIONS,
        topic="How radiographs came into their part",
        told=(data.partitions,),
    ),
    Question(
        number="20",
        section=PARTITIONS,
        topic="Level at which the parts are disjoint",
        told=(data.held_apart,),
    ),
    Question(
        number="21",
        section=TESTING_DATA,
        topic="Intended size of the test set",
        told=(results.detectable,),
        asked="which size was intended before the study, and why",
    ),
    Question(
        number="22",
        section=MODEL,
        topic="The model in detail",
        told=(model.network, model.output),
    ),
    Question(
        number="23",
        section=MODEL,
        topic="Software and its versions",
        told=(model.software, model.code),
    ),
    Question(
        number="24",
        section=MODEL,
        topic="Initial weights",
        told=(model.initialisation,),
    ),
    Question(
        number="25",
        section=TRAINING,
        topic="How it was trained",
        told=(model.training, model.cost),
    ),
    Question(
        number="26",
        section=TRAINING,
        topic="How the final model was chosen",
        told=(model.selection,),
    ),
    Question(
        number="27",
        section=TRAINING,
        topic="Ensembles",
        told=(results.ensembles,),
    ),
    Question(
        number="28",
        section=EVALUATION,
        topic="Measures of performance",
        told=(results.metrics,),
    ),
    Question(
        number="29",
        section=EVALUATION,
        topic="Uncertainty and significance",
        told=(results.uncertainty,),
    ),
    Question(
        number="30",
        section=EVALUATION,
        topic="Robustness",
        told=(results.seeds, results.shortcuts, results.masked_lungs),
        asked="further sensitivity analyses",
    ),
    Question(
        number="31",
        section=EVALUATION,
        topic="Explainability",
        told=(results.explanations, results.map_checks),
        asked="how readers judged the maps, if they did",
    ),
    Question(
        number="32",
        section=EVALUATION,
        topic="Evaluation on internal data",
        told=(results.performance,),
    ),
    Question(
        number="33",
        section=EVALUATION,
        topic="Testing on external data",
        told=(data.external_data, results.unseen_sites),
        asked="external data, if any, or why there are none",
    ),
    Question(
        number="34",
        section=EVALUATION,
        topic="Registration of a trial",
        asked="register and number, or that it is no trial",
    ),
    Question(
        number="35",
        section=RESULTS_DATA,
        topic="Included and excluded, in numbers",
        told=(data.participant_flow, data.eligibility),
    ),
    Question(
        number="36",
        section=RESULTS_DATA,
        topic="Characteristics of each part",
        told=(data.demographics, data.outcome_counts),
        asked="clinical characteristics that the tables do not hold",
    ),
    Question(
        number="37",
        section=RESULTS,
        topic="Performance with its uncertainty",
        told=(results.performance, results.comparison, results.calibration),
    ),
    Question(
        number="38",
        section=RESULTS,
        topic="Diagnostic performance and its precision",
        told=(results.operating_points, results.subgroups),
    ),
    Question(
        number="39",
        section=RESULTS,
        topic="Analysis of errors",
        told=(results.errors,),
        asked="what wrongly called radiographs have in common",
    ),
    Question(
        number="40",
        section=DISCUSSION,
        topic="Limitations",
        told=(results.limitations,),
        asked="limitations of the cohort that the run cannot know",
    ),
    Question(
        number="41",
        section=DISCUSSION,
        topic="What follows for practice",
        told=(model.not_a_device,),
        asked="implications for practice",
    ),
    Question(
        number="42",
        section=OTHER,
        topic="Protocol and technical details",
        told=(model.protocol,),
        asked="the study protocol, if it was written down before",
    ),
    Question(
        number="43",
        section=OTHER,
        topic="Availability of software, model and data",
        told=(model.code, model.weights, data.sources),
        asked="where model and data can be had, by whom",
    ),
    Question(
        number="44",
        section=OTHER,
        topic="Funding and the funders' role",
        asked="funding, and the funders' role",
    ),
)


def fill_claim(evidence: Evidence) -> Document:
    """Return the draft of the CLAIM 2024 form.

    Args:
        evidence: What the run left.
    """
    return Document(
        name="claim_2024",
        title="CLAIM 2024: draft",
        source=SOURCE,
        notices=data.notices(evidence),
        items=answer_all(QUESTIONS, evidence),
    )
